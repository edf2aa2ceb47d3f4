#!/bin/bash
# Plays a server's life against Compute beside real Keystone, Glance and Neutron, and prints each command with its answer.
# Needs: the `openstack` client, OS_* of an administrator in the environment; $1: RC file of a member of another project, $2: of a member of a third one.
# It makes objects named kn-* and removes them again. What it prints is the transcript in docs/operator/with-keystone-glance-neutron.md.
member=$1 stranger=$2
run() { printf '$ %s\n' "$*"; "$@" 2>&1; printf '\n'; }
as() { printf '# as a member%s: %s\n' "$([ "$1" = "$stranger" ] && echo ' of another project')" "$(basename "$1")"; (. "$1"; shift; run "$@"); }

head -c 1048576 /dev/zero > "${TMPDIR:-/tmp}/kn-image.raw"
run openstack image create --disk-format raw --container-format bare --public --file "${TMPDIR:-/tmp}/kn-image.raw" kn-image -c name -c status -c size
run openstack network create --share kn-net -c name -c status -c shared
run openstack subnet create --network kn-net --subnet-range 10.77.0.0/24 kn-subnet -c name -c cidr
run openstack flavor create --vcpus 1 --ram 128 --disk 1 kn-flavor -c name -c ram -c vcpus
as "$member" openstack port create --network kn-net kn-port -c name -c status -c fixed_ips
as "$member" openstack server create --image kn-image --flavor kn-flavor --port kn-port --wait kn-by-port -c name -c status -c addresses
as "$member" openstack server create --image kn-image --flavor kn-flavor --network kn-net --wait kn-by-network -c name -c status -c addresses
as "$member" openstack server list -c Name -c Status -c Networks -c Image -c Flavor
run openstack port show kn-port -c status -c device_owner -c binding_host_id -c binding_vif_type -c binding_vnic_type
run openstack port list --network kn-net -c Name -c Status -c device_owner --long
as "$stranger" openstack server list -c Name
as "$stranger" openstack server show kn-by-port
as "$member" openstack server show "$(. "$member"; openstack server show kn-by-network -f value -c id)" -c name -c status -c OS-EXT-STS:vm_state
as "$stranger" openstack server show "$(. "$member"; openstack server show kn-by-network -f value -c id)"
as "$member" openstack flavor create --vcpus 1 --ram 128 --disk 1 kn-forbidden
as "$member" openstack hypervisor list
run openstack hypervisor list -c "Hypervisor Hostname" -c State
run openstack --os-system-scope all --os-project-name= --os-project-domain-name= hypervisor list -c "Hypervisor Hostname" -c State
as "$member" openstack server stop kn-by-port
as "$member" openstack server start kn-by-port
as "$member" openstack server delete --wait kn-by-port kn-by-network
as "$member" openstack port list --network kn-net -c Name -c Status
run openstack port show kn-port -c status -c device_id -c device_owner -c binding_host_id
as "$member" openstack port delete kn-port
run openstack subnet delete kn-subnet
run openstack network delete kn-net
run openstack image delete kn-image
run openstack flavor delete kn-flavor
