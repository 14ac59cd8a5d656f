"""The chat: Chainlit draws, Steward's own rows say what is drawn. Only this package and ``app.py`` import Chainlit."""
