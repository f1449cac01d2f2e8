import os
import random
import tempfile
import uuid

import numpy


def main():
    return [
        random.getrandbits(64),
        os.urandom(8).hex(),
        str(uuid.uuid4()),
        float(numpy.random.random()),
        next(tempfile._get_candidate_names()) + str(random.random()),
    ]
