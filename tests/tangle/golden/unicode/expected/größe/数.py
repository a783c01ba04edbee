# Zähle die 数字 — ganz & gar „leise“
й = 1
π = "🐍 "
