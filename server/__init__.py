"""shopbelld: the small server that holds a shop's orders and its activity."""
