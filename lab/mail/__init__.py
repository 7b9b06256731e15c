"""Mail: letters, the postman who carries them, and the outbox of the lab that catches them."""
