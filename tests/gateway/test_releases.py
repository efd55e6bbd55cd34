"""The repository of releases at the gateway: for enrolled devices, as it is, and nothing beside it."""

from tests.gateway.conftest import RunningGateway, gateway, shared_signer  # noqa: F401 -- fixtures


def test_an_enrolled_device_fetches_documents_and_nothing_else(gateway: RunningGateway) -> None:  # noqa: F811
    folder = gateway.home / "releases" / "repository" / "metadata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "timestamp.json").write_bytes(b"signed elsewhere")
    (gateway.home / "secret.json").write_bytes(b"secret")
    base = "/agent/v1/releases"
    assert gateway.agent().send("GET", f"{base}/metadata/timestamp.json").status == 401
    device = gateway.enrolled()
    found = device.send("GET", f"{base}/metadata/timestamp.json")
    assert (found.status, found.body) == (200, b"signed elsewhere")
    for path in (
        "metadata/2.root.json",
        "metadata/..%2f..%2f..%2fsecret.json",
        "../secret.json",
        "keys/x",
        "metadata/",
    ):
        assert device.send("GET", f"{base}/{path}").status == 404, path
