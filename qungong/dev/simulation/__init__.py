"""An invented year of a county, played through the product's own use cases with the clock moved. Never for production."""
