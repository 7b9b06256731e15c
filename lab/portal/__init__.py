"""The portal: who comes in, what each may see, the customer's own pages."""
