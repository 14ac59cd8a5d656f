"""How it is put together: settings, wiring (the composition root), the application, the worker."""
