"""Reading and writing CT volumes, their grids and their Hounsfield units."""
