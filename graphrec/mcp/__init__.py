"""Tools for language models by the Model Context Protocol: recommend, explain, similar, query and schema."""
