"""The official sheets: KIB B, KIR, KIBAR labels and the architecture lists, from the rows of the inventory."""
