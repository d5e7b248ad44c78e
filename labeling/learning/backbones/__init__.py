"""The backbones that a project uses: what each costs, adding and dropping one, measuring its pace."""
