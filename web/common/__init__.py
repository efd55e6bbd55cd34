"""What every HTTP door needs: one transaction per request, actor, errors, headers, languages."""
