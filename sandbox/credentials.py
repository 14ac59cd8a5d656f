"""The published practice credentials. They open the pretend company and nothing else."""

CLIENT_ID = "steward"
CLIENT_SECRET = "practice-secret"
API_KEY = "practice-key"
BASIC_USER = "steward"
BASIC_PASSWORD = "practice"
