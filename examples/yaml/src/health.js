const response = await fetch('http://localhost:8080/healthz')
process.exit(response.ok ? 0 : 1)
