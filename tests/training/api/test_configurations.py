from tests.training.conftest import Service


def test_a_configuration_is_added_changed_and_listed_newest_first(service: Service) -> None:
    digits, letters = service.model("digits"), service.model("letters")
    first = service.configuration(digits, name="first")
    second = service.configuration(digits, letters, name="second")

    assert [each["id"] for each in service.get("/configurations/")] == [second, first]
    assert service.get(f"/configurations/{second}") == {
        "id": second,
        "name": "second",
        "description": "",
        "ml_models": [{"id": digits, "name": "digits"}, {"id": letters, "name": "letters"}],
        "deployments": [],
    }
    service.client.put(f"/configurations/{second}", json={"name": "other", "ml_models": [letters]})
    changed = service.client.patch(f"/configurations/{second}", json={"description": "of letters"}).json()
    assert (changed["name"], changed["description"], len(changed["ml_models"])) == ("other", "of letters", 1)
    assert "ml_models" in service.refused("PUT", f"/configurations/{second}", {"name": "other"})


def test_the_models_below_are_added(service: Service) -> None:
    cloud = service.model("cloud", distributed=True)
    fog = service.model("fog", distributed=True, father=cloud)
    edge = service.model("edge", distributed=True, father=fog)

    configuration = service.configuration(cloud)

    models = service.get(f"/configurations/{configuration}")["ml_models"]
    assert [each["id"] for each in models] == [cloud, fog, edge]


def test_what_a_configuration_consists_of(service: Service) -> None:
    single = service.configuration(service.model("tf"), service.model("pth", framework="pth"), name="single")
    chain = service.configuration(service.model("cloud", distributed=True), name="chain")

    assert service.get(f"/frameworksInConfiguration/{single}") == ["tf", "pth"]
    assert service.get(f"/frameworksInConfiguration/{chain}") == ["tf"]
    assert service.get(f"/distributedConfiguration/{single}") is False
    assert service.get(f"/distributedConfiguration/{chain}") is True


def test_what_cannot_be(service: Service) -> None:
    model = service.model()
    configuration = service.configuration(model, name="digits")

    def refused(name: str, *models: int) -> str:
        return service.refused("POST", "/configurations/", {"name": name, "ml_models": [*models]})

    assert "already" in refused("digits", model)
    assert "no model 99" in refused("other", 99)
    assert "ml_models" in refused("other")
    service.deployment(configuration)
    assert "has deployments" in service.refused("DELETE", f"/configurations/{configuration}")
    assert "no configuration 9" in service.refused("DELETE", "/configurations/9")


def test_a_configuration_is_deleted(service: Service) -> None:
    configuration = service.configuration(service.model())

    assert service.client.delete(f"/configurations/{configuration}").status_code == 200
    assert service.client.get(f"/configurations/{configuration}").status_code == 404
    assert len(service.get("/models/")) == 1
