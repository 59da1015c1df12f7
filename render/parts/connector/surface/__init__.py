"""What the connector and the cloth below it look like, as functions of points."""
