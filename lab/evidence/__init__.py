"""What a case leaves beside its report: capture, ladder, sound, figures, files served, mail, screens."""
