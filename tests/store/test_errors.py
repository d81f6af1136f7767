"""Errors keep what a URL keeps secret to themselves: they go to screens, logs, run histories and alerts."""

import pickle

import pytest

from store.errors import FeedError, without_secrets


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("http://bob:HUNTER2@host:80/a.csv?key=K7&x=1 is empty.", "http://…@host:80/a.csv?key=…&x=… is empty."),
        ("'https://u@h/a' and https://h/b#c?d=e", "'https://…@h/a' and https://h/b#c?d=…"),
        ("http://bob:a@b@host/x@y.csv", "http://…@host/x@y.csv"),
        ("a=b@c ? d=e at tcp://10.0.0.5:8786", "a=b@c ? d=e at tcp://10.0.0.5:8786"),
    ],
)
def test_what_urls_keep_secret_is_in_no_message(said, told):
    assert without_secrets(said) == told
    error = pickle.loads(pickle.dumps(FeedError(said, said)))
    assert (error.message, error.hint, str(error)) == (told, told, f"{told}\n{told}")
