from tests.training.conftest import CODE, Service


def test_a_model_is_added_and_listed(service: Service) -> None:
    made = service.post("/models/", {"name": "digits", "code": CODE, "framework": "tf", "unknown": 1})

    assert (
        made.items()
        >= {
            "id": 1,
            "name": "digits",
            "description": "",
            "imports": "",
            "code": CODE,
            "distributed": False,
            "father": None,
            "framework": "tf",
        }.items()
    )
    assert service.get("/models/") == [made]
    assert service.get("/models/1") == made


def test_code_that_gives_no_model_is_refused_with_the_reason(service: Service) -> None:
    reason = service.refused("POST", "/models/", {"name": "digits", "code": "1", "framework": "tf"})

    assert reason == "Information not valid: line 1: expected a variable `model`"
    assert service.get("/models/") == []


def test_code_is_checked_again_only_if_it_changes(service: Service) -> None:
    model = service.model()

    service.client.patch(f"/models/{model}", json={"description": "handwritten"})
    service.client.put(f"/models/{model}", json={"name": "d", "code": CODE, "framework": "tf"})
    assert len(service.code.checked) == 1

    answer = service.client.patch(f"/models/{model}", json={"code": "model = 2"})
    assert answer.json()["code"] == "model = 2"
    assert answer.json()["name"] == "d"
    assert service.code.checked == [CODE, "model = 2"]
    assert "line 1" in service.refused("PATCH", f"/models/{model}", {"code": "3"})


def test_put_replaces_all_fields(service: Service) -> None:
    model = service.model(description="handwritten", imports="import numpy")

    service.client.put(f"/models/{model}", json={"name": "d", "code": CODE, "framework": "tf"})

    assert service.get(f"/models/{model}").items() >= {"name": "d", "description": "", "imports": ""}.items()


def test_names_are_unique(service: Service) -> None:
    service.model("digits")
    other = service.model("others")

    sent = {"name": "digits", "code": CODE, "framework": "tf"}
    reason = "name: there is a model digits already"
    assert service.refused("POST", "/models/", sent) == reason
    assert service.refused("PUT", f"/models/{other}", sent) == reason
    assert service.client.put(f"/models/{other}", json={**sent, "name": "others"}).status_code == 200


def test_a_name_that_exists_is_found_before_the_code_runs(service: Service) -> None:
    service.model("digits")
    other = service.model("others")
    checked = len(service.code.checked)

    sent = {"name": "digits", "code": "1", "framework": "tf"}
    for method, path in (("POST", "/models/"), ("PUT", f"/models/{other}"), ("PATCH", f"/models/{other}")):
        assert service.refused(method, path, sent) == "name: there is a model digits already"

    assert len(service.code.checked) == checked


def test_fathers(service: Service) -> None:
    cloud = service.model("cloud", distributed=True)
    edge = service.model("edge", distributed=True, father=cloud)
    single = service.model("single", father=cloud)

    assert service.get(f"/models/{edge}")["father"] == {"id": cloud, "name": "cloud"}
    assert service.get(f"/models/{single}")["father"] is None
    assert [each["id"] for each in service.get("/models/fathers")] == [cloud, single]
    assert [each["id"] for each in service.get("/models/distributed")] == [cloud, edge]


def test_a_model_is_sent_back_as_it_was_read(service: Service) -> None:
    edge = service.model("edge", distributed=True, father=service.model("cloud", distributed=True))
    read = service.get(f"/models/{edge}")

    answer = service.client.put(f"/models/{edge}", json=read)

    assert answer.json()["father"] == read["father"]


def test_a_father_is_taken_away_with_null_or_when_it_is_deleted(service: Service) -> None:
    cloud = service.model("cloud", distributed=True)
    edge = service.model("edge", distributed=True, father=cloud)

    assert service.client.patch(f"/models/{edge}", json={"father": None}).json()["father"] is None
    service.client.patch(f"/models/{edge}", json={"father": cloud})
    assert service.client.delete(f"/models/{cloud}").status_code == 200
    assert service.get(f"/models/{edge}")["father"] is None


def test_fathers_that_cannot_be(service: Service) -> None:
    cloud = service.model("cloud", distributed=True)
    fog = service.model("fog", distributed=True, father=cloud)
    edge = service.model("edge", distributed=True, father=fog)
    single = service.model("single")

    def refused(model: int, father: int) -> str:
        return service.refused("PATCH", f"/models/{model}", {"father": father})

    assert "its own father" in refused(cloud, cloud)
    assert "its own father" in refused(cloud, edge)
    assert "another model already" in refused(edge, cloud)
    assert "single is not" in refused(cloud, single)
    assert "no such model" in refused(cloud, 99)


def test_a_model_that_is_used_is_not_deleted(service: Service) -> None:
    model = service.model()
    configuration = service.configuration(model)
    result = service.deployment(configuration)["results"][0]["id"]

    assert "used by a configuration" in service.refused("DELETE", f"/models/{model}")
    other = service.model("others")
    service.client.patch(f"/configurations/{configuration}", json={"ml_models": [other]})
    assert "has results" in service.refused("DELETE", f"/models/{model}")
    service.client.delete(f"/results/{result}")
    assert service.client.delete(f"/models/{model}").status_code == 200
    assert "no model" in service.refused("DELETE", f"/models/{model}")


def test_ids_are_not_used_again(service: Service) -> None:
    first = service.model()
    service.client.delete(f"/models/{first}")

    assert service.model() == first + 1


def test_the_model_of_a_result(service: Service) -> None:
    result = service.deployment()["results"][0]["id"]

    assert service.get(f"/models/result/{result}")["name"] == "digits"
    assert service.client.get("/models/result/99").status_code == 404
