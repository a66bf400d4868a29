"""The systems that are measured: `catalog` describes them, one module each speaks to them."""
