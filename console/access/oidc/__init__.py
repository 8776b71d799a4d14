"""Sign-in with an OpenID Connect provider: allauth's flow, with the ID token checked as the standard demands.

allauth's own provider skips the token's signature, sends no nonce, believes userinfo of any subject, and takes scopes
and parameters from the address. This package is a provider of allauth's kind that does not.
"""
