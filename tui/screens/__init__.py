"""What a person sees: the frame around the sections, the sections, and their dialogues."""
