"""What the error codes of AWS ask for: to wait, a person, or new credentials.

From the DynamoDB API reference ("Common Errors") and developer guide ("Error handling with
DynamoDB"); CloudWatch, Lambda and STS have some words of their own. The launcher's ``ErrorCodes``
holds ``DENIED`` and ``RENEW``, too; a test holds them equal.
"""

from __future__ import annotations

# Too many calls at the moment.
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        # DynamoDB Streams' throttling, and a table's operations under way.
        "LimitExceededException",
        # CloudWatch and STS.
        "Throttling",
        # Lambda.
        "TooManyRequestsException",
    }
)

# Good credentials that may not do this: waiting does not help.
DENIED = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "NotAuthorized",
        "OptInRequired",
        "RegionDisabledException",
    }
)

# The credentials themselves are refused. Whoever renews them may be about to: keys that have been
# made just now are unknown for some seconds, a file is read between its two keys, a token is older
# than it should be, a clock is being set.
RENEW = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
    }
)

# A code of our own, for a call that was not made: there are no credentials, or what was held has
# expired and could not be renewed.
NO_CREDENTIALS = "NoCredentials"

# Another one: what allowed the call had run out before all of it was sent.
NOT_SENT = "NotSent"

# Seconds that refused credentials may take to be renewed by whoever renews them.
RENEWAL_SECONDS = 300.0
