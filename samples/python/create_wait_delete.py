import sys
from kilonova import Kilonova

with Kilonova.from_clouds_yaml() as cloud:
    flavor = cloud.flavors.list(name="m1.nano").first()
    image = cloud.find_image(sys.argv[1] if sys.argv[1:] else "kilonova-guest")
    created = cloud.servers.create(name="sample", flavor_id=flavor.id, image_id=image["id"]).finished()
    print(created.servers[0].id, "has come up")
    cloud.servers.delete(server_id=created.servers[0].id).finished()
