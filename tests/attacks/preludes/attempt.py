"""Put in front of every attack."""

import errno as _errno


def attempt(function, *args, **named):
    """Say what came of a call: "done", the errno's name, or the exception's."""
    try:
        function(*args, **named)
    except OSError as error:
        return _errno.errorcode.get(error.errno, str(error))
    except BaseException as error:
        return type(error).__name__
    return "done"
