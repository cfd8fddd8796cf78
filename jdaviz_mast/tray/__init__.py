"""FACE: the MAST Import tray. Thin: it asks the front door and shows what comes back."""
