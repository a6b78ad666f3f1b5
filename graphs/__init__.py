"""Networks as files, graphs as NetworkX graphs, their layout, and the text documents made from them."""
