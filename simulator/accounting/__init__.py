"""From the change log to joules, facility energy, carbon and embodied shares."""
