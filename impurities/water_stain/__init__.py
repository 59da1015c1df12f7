"""Water stains: outlines, their variation inside, and how they are drawn."""
