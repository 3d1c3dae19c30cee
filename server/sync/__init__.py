"""How phones and school come to agree. PROTOCOL.md, beside this file, says it in full."""
