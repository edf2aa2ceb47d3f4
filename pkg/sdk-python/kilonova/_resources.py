# Written by scripts/gen-sdk.mjs from proto/kilonova/api/v1. Do not edit.
"""One class for each service of kilonova.api.v1."""

from ._resource import Resource


class Aggregates(Resource):
    """Aggregates: sets of hosts with metadata that scheduling rules read. One with a zone makes its hosts part of
    that zone.
    """

    def create(self, *, timeout=None, **fields):
        """Makes an aggregate without hosts.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS / AGGREGATE_EXISTS; ABORTED / TOKEN_REUSED.

        Fields: client_token, name, availability_zone.
        """
        return self._call("/kilonova.api.v1.AggregatesService/CreateAggregate", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one aggregate.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND.

        Fields: aggregate_id.
        """
        return self._call("/kilonova.api.v1.AggregatesService/GetAggregate", fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists aggregates by number. Pages.

        Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: host, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.AggregatesService/ListAggregates", "aggregates", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Changes name or zone. Repeatable.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS /
        AGGREGATE_EXISTS; FAILED_PRECONDITION / ZONE_CONFLICT (a host would be in two zones), ZONE_IN_USE
        (another zone for hosts with servers).

        Fields: aggregate_id, name, availability_zone.
        """
        return self._call("/kilonova.api.v1.AggregatesService/UpdateAggregate", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Deletes an aggregate without hosts.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; FAILED_PRECONDITION / AGGREGATE_HAS_HOSTS.

        Fields: aggregate_id.
        """
        return self._call("/kilonova.api.v1.AggregatesService/DeleteAggregate", fields, timeout)

    def add_host(self, *, timeout=None, **fields):
        """Puts a host in. A host is in one zone at most.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, COMPUTE_HOST_NOT_FOUND; ALREADY_EXISTS / HOST_IN_AGGREGATE;
        FAILED_PRECONDITION / HOST_IN_OTHER_ZONE, HOST_ZONE_IN_USE (the host's zone would change under them).

        Fields: aggregate_id, host.
        """
        return self._call("/kilonova.api.v1.AggregatesService/AddAggregateHost", fields, timeout)

    def remove_host(self, *, timeout=None, **fields):
        """Takes a host out.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, HOST_NOT_IN_AGGREGATE; FAILED_PRECONDITION / HOST_ZONE_IN_USE
        (the host's zone would change under them).

        Fields: aggregate_id, host.
        """
        return self._call("/kilonova.api.v1.AggregatesService/RemoveAggregateHost", fields, timeout)

    def set_metadata(self, *, timeout=None, **fields):
        """Adds, replaces or removes metadata; the key `availability_zone` is the zone. Repeatable.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; FAILED_PRECONDITION /
        ZONE_CONFLICT, ZONE_IN_USE.

        Fields: aggregate_id, metadata, remove_keys.
        """
        return self._call("/kilonova.api.v1.AggregatesService/SetAggregateMetadata", fields, timeout)

    def cache_images(self, *, timeout=None, **fields):
        """Has the hosts of an aggregate fetch images before servers need them, a few hosts at a time. The operation
        is the cloud's; it fails when a host or an image did, once all others have been seen to.

        Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, IMAGE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
        IMAGE_NOT_ACTIVE; UNAVAILABLE: the Image service, or a cell that may have some of the hosts, is silent;
        ABORTED / TOKEN_REUSED.

        Fields: aggregate_id, image_ids, client_token.
        """
        return self._start("/kilonova.api.v1.AggregatesService/CacheAggregateImages", ["operation"], fields, timeout)


class AssistedVolumeSnapshots(Resource):
    """Snapshots of volumes that the Block Storage service cannot take without the hypervisor: called by that
    service.
    """

    def create(self, *, timeout=None, **fields):
        """Makes the guests write to a new file from now on, so that the old one is the snapshot.

        Errors: INVALID_ARGUMENT / VOLUME_NOT_ATTACHED, BAD_SNAPSHOT; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED
        / TOKEN_REUSED.

        Fields: client_token, volume_id, snapshot_id, new_file, format.
        """
        return self._start("/kilonova.api.v1.AssistedVolumeSnapshotsService/CreateAssistedVolumeSnapshot", ["operation"], fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Merges such a snapshot back into the chain.

        Errors: NOT_FOUND / VOLUME_NOT_FOUND; INVALID_ARGUMENT / VOLUME_NOT_ATTACHED, BAD_SNAPSHOT; UNIMPLEMENTED
        / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.

        Fields: client_token, volume_id, snapshot_id, file_to_merge, merge_target_file.
        """
        return self._start("/kilonova.api.v1.AssistedVolumeSnapshotsService/DeleteAssistedVolumeSnapshot", ["operation"], fields, timeout)


class AvailabilityZones(Resource):
    """Zones that servers can ask for."""

    def list(self, *, timeout=None, **fields):
        """Lists zones with enabled compute hosts; with the second rule also hosts and services. A deployment has
        few: there is one page.

        Errors: none of its own.

        Fields: detail.
        """
        return self._call("/kilonova.api.v1.AvailabilityZonesService/ListAvailabilityZones", fields, timeout)


class ComputeServices(Resource):
    """Kilonova's own services, as operators see them."""

    def list(self, *, timeout=None, **fields):
        """Lists conductors, schedulers and compute agents with their state. Pages.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST, BAD_PAGE_TOKEN. Silent cells are named.

        Fields: host, binary, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.ComputeServicesService/ListComputeServices", "services", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Enables, disables or forces down a compute agent's host. Repeatable.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST, NOT_A_COMPUTE_SERVICE, SERVICE_AMBIGUOUS; NOT_FOUND /
        SERVICE_NOT_FOUND, HOST_BINARY_NOT_FOUND.

        Fields: service_id, host, binary, disabled, disabled_reason, forced_down.
        """
        return self._call("/kilonova.api.v1.ComputeServicesService/UpdateComputeService", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Removes the record of a service that is gone for good.

        Errors: NOT_FOUND / SERVICE_NOT_FOUND; INVALID_ARGUMENT / SERVICE_AMBIGUOUS; FAILED_PRECONDITION /
        HOST_HAS_SERVERS, HOST_HAS_MIGRATIONS (a move leaves it or leads there, or waits for its confirmation).

        Fields: service_id.
        """
        return self._call("/kilonova.api.v1.ComputeServicesService/DeleteComputeService", fields, timeout)


class Events(Resource):
    """What happens to the caller's servers."""

    def watch(self, **fields):
        """Streams each state once and in order for each server, from now or from a resume token. A token that is
        too old is no error: RESET and a snapshot follow.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST for what is no token of this request; UNAVAILABLE: begin again
        with the last token.

        Fields: resume_token, server_ids, all_projects, with_operations.
        """
        return self._follow("/kilonova.api.v1.EventsService/WatchEvents", fields)


class ExternalEvents(Resource):
    """What other services have to say about servers: called by Network, Block Storage and Bare Metal."""

    def create(self, *, timeout=None, **fields):
        """Hands events to the operations that wait for them, or that will. Each event has its own result; the call
        succeeds if any was taken. Two events that say the same are two events: a volume may grow twice.
        Repeatable with a client token.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST; NOT_FOUND / SERVER_NOT_FOUND: no server of any event is
        known; ABORTED / TOKEN_REUSED.

        Fields: events, client_token.
        """
        return self._call("/kilonova.api.v1.ExternalEventsService/CreateExternalEvents", fields, timeout)


class Flavors(Resource):
    """Flavors, their extra specs, and who may use them."""

    def create(self, *, timeout=None, **fields):
        """Makes a flavor; one with extra specs needs the second rule too.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS / FLAVOR_EXISTS for a taken id,
        FLAVOR_NAME_EXISTS for a taken name.

        Fields: flavor.
        """
        return self._call("/kilonova.api.v1.FlavorsService/CreateFlavor", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one flavor by id. Anybody may; the rules show extra specs and access.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND, also for private ones of others; FLAVOR_ACCESS_NOT_FOUND.

        Fields: flavor_id, with_access, with_extra_specs, extra_spec_key.
        """
        return self._call("/kilonova.api.v1.FlavorsService/GetFlavor", fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists flavors that the caller may see. Pages. Anybody may; the rules show extra specs and access.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST, SORT_KEY_INVALID.

        Fields: visibility, min_memory_mib, min_root_gib, name, sort, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.FlavorsService/ListFlavors", "flavors", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Changes the description.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: flavor, update_mask.
        """
        return self._call("/kilonova.api.v1.FlavorsService/UpdateFlavor", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Deletes a flavor. Servers keep their copy.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND.

        Fields: flavor_id.
        """
        return self._call("/kilonova.api.v1.FlavorsService/DeleteFlavor", fields, timeout)

    def set_extra_specs(self, *, timeout=None, **fields):
        """Adds extra specs (first rule) or replaces some (second rule).

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: flavor_id, extra_specs, single_item.
        """
        return self._call("/kilonova.api.v1.FlavorsService/SetFlavorExtraSpecs", fields, timeout)

    def delete_extra_spec(self, *, timeout=None, **fields):
        """Removes one extra spec.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND, EXTRA_SPEC_NOT_FOUND.

        Fields: flavor_id, key.
        """
        return self._call("/kilonova.api.v1.FlavorsService/DeleteFlavorExtraSpec", fields, timeout)

    def add_access(self, *, timeout=None, **fields):
        """Gives a project access to a private flavor.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / PROJECT_NOT_FOUND; FAILED_PRECONDITION /
        FLAVOR_IS_PUBLIC; ALREADY_EXISTS / FLAVOR_ACCESS_EXISTS.

        Fields: flavor_id, project_id.
        """
        return self._call("/kilonova.api.v1.FlavorsService/AddFlavorAccess", fields, timeout)

    def remove_access(self, *, timeout=None, **fields):
        """Takes it away.

        Errors: NOT_FOUND / FLAVOR_NOT_FOUND, FLAVOR_ACCESS_NOT_FOUND; INVALID_ARGUMENT / PROJECT_NOT_FOUND.

        Fields: flavor_id, project_id.
        """
        return self._call("/kilonova.api.v1.FlavorsService/RemoveFlavorAccess", fields, timeout)


class Hypervisors(Resource):
    """Hypervisors, as operators see them."""

    def list(self, *, timeout=None, **fields):
        """Lists hypervisors, as far as the view asked for shows them; each view has a rule of its own. Pages.

        Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: hostname_pattern, with_servers, page_size, page_token, view.
        """
        return self._list("/kilonova.api.v1.HypervisorsService/ListHypervisors", "hypervisors", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one by UUID or number: all of it, or with the second rule its uptime.

        Errors: NOT_FOUND / HYPERVISOR_NOT_FOUND; UNAVAILABLE when it may be in a cell that does not answer.

        Fields: hypervisor_id, with_servers, view.
        """
        return self._call("/kilonova.api.v1.HypervisorsService/GetHypervisor", fields, timeout)


class InstanceActions(Resource):
    """What was done to a server, and how each step went."""

    def list(self, *, timeout=None, **fields):
        """Lists actions, newest first. Works for deleted servers too: they are kept as long as the server's record.
        Pages.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: server_id, changes_since, changes_before, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.InstanceActionsService/ListInstanceActions", "actions", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one action with its newest events, 1000 at most; the other rules show the events' tracebacks and
        details.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, ACTION_NOT_FOUND.

        Fields: server_id, request_id.
        """
        return self._call("/kilonova.api.v1.InstanceActionsService/GetInstanceAction", fields, timeout)


class Interfaces(Resource):
    """Network interfaces of servers."""

    def list(self, *, timeout=None, **fields):
        """Lists the interfaces of a server in order of their ports. Pages.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: server_id, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.InterfacesService/ListInterfaces", "interfaces", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one interface.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND, also for ports of other servers.

        Fields: server_id, port_id.
        """
        return self._call("/kilonova.api.v1.InterfacesService/GetInterface", fields, timeout)

    def attach(self, *, timeout=None, **fields):
        """Puts an interface into a server. Several of one server follow one another.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND, NETWORK_NOT_FOUND; INVALID_ARGUMENT /
        INVALID_REQUEST, NETWORK_AMBIGUOUS, NO_NETWORK, NETWORK_WITHOUT_SUBNET, PORT_WITHOUT_ADDRESS,
        PORT_NOT_USABLE; PERMISSION_DENIED / EXTERNAL_NETWORK, FIXED_IP_FORBIDDEN; ABORTED / PORT_IN_USE,
        FIXED_IP_IN_USE, TOKEN_REUSED; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, PAUSED or STOPPED),
        INSTANCE_LOCKED, NOT_READY; RESOURCE_EXHAUSTED / PORT_QUOTA (of calls without a client token, which
        cannot be repetitions); UNIMPLEMENTED / CAPABILITY_MISSING. What only the Network service finds out, such
        as NO_MORE_FIXED_IPS or PORT_LIMIT_EXCEEDED, is the operation's error.

        Fields: server_id, client_token, network_id, port_id, fixed_ip, tag, wait.
        """
        return self._start("/kilonova.api.v1.InterfacesService/AttachInterface", ["operation"], fields, timeout)

    def detach(self, *, timeout=None, **fields):
        """Takes an interface out; a port that was made for the server is deleted.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be
        ACTIVE, PAUSED or STOPPED), INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
        TOKEN_REUSED. A guest that does not let go of the device in time is the operation's error
        DEVICE_DETACH_FAILED; the server keeps the interface then.

        Fields: server_id, client_token, port_id.
        """
        return self._start("/kilonova.api.v1.InterfacesService/DetachInterface", ["operation"], fields, timeout)


class KeyPairs(Resource):
    """Key pairs of a user."""

    def create(self, *, timeout=None, **fields):
        """Imports a public key, or makes a pair when none is given.

        Errors: ALREADY_EXISTS / KEY_PAIR_EXISTS; INVALID_ARGUMENT / BAD_PUBLIC_KEY; RESOURCE_EXHAUSTED /
        QUOTA_EXCEEDED.

        Fields: name, type, public_key, user_id.
        """
        return self._call("/kilonova.api.v1.KeyPairsService/CreateKeyPair", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one key pair.

        Errors: NOT_FOUND / KEY_PAIR_NOT_FOUND.

        Fields: name, user_id.
        """
        return self._call("/kilonova.api.v1.KeyPairsService/GetKeyPair", fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists the key pairs of a user by name. Pages.

        Errors: INVALID_ARGUMENT / MARKER_NOT_FOUND.

        Fields: user_id, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.KeyPairsService/ListKeyPairs", "key_pairs", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Deletes one. Servers keep their copy.

        Errors: NOT_FOUND / KEY_PAIR_NOT_FOUND.

        Fields: name, user_id.
        """
        return self._call("/kilonova.api.v1.KeyPairsService/DeleteKeyPair", fields, timeout)


class Limits(Resource):
    """Quota limits and what is used of them."""

    def get(self, *, timeout=None, **fields):
        """Limits and use of a project; other projects need the second rule.

        Errors: none of its own.

        Fields: project_id.
        """
        return self._call("/kilonova.api.v1.LimitsService/GetLimits", fields, timeout)


class Migrations(Resource):
    """Moves of servers between hosts. Each belongs to an operation; this is what operators and REST see of it."""

    def list(self, *, timeout=None, **fields):
        """Lists migrations of servers that are not deleted, newest first. Pages. Outside the caller's project it
        needs the second rule; in_progress_only is the fourth one's business; the third and the last show hosts.

        Errors: NOT_FOUND / SERVER_NOT_FOUND: in_progress_only; INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: server_ids, host, source_compute, status, type, project_id, user_id, all_projects, hidden, changes_since, changes_before, in_progress_only, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.MigrationsService/ListMigrations", "migrations", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one migration of a server, with the progress of a live migration. Who may read it sees its hosts,
        as in Nova.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND.

        Fields: server_id, migration_id, in_progress_only.
        """
        return self._call("/kilonova.api.v1.MigrationsService/GetMigration", fields, timeout)

    def abort(self, *, timeout=None, **fields):
        """Gives up a live migration; the guest stays where it runs.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_RUNNING;
        FAILED_PRECONDITION / INVALID_STATE (must be migrating), INSTANCE_LOCKED.

        Fields: server_id, migration_id, queued_too.
        """
        return self._start("/kilonova.api.v1.MigrationsService/AbortMigration", ["operation"], fields, timeout)

    def force_complete(self, *, timeout=None, **fields):
        """Makes a live migration finish by pausing the guest until its memory is over.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_RUNNING;
        FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE and migrating), INSTANCE_LOCKED; UNIMPLEMENTED /
        CAPABILITY_MISSING.

        Fields: server_id, migration_id.
        """
        return self._start("/kilonova.api.v1.MigrationsService/ForceCompleteMigration", ["operation"], fields, timeout)


class Operations(Resource):
    """Operations on the caller's servers; for operators, also those of hosts and of the cloud. Reading or
    cancelling one of those needs the rule that starting one of its kind needs.
    """

    def get(self, *, timeout=None, **fields):
        """Reads one operation.

        Errors: NOT_FOUND / OPERATION_NOT_FOUND, also for those of other projects.

        Fields: name.
        """
        return self._start("/kilonova.api.v1.OperationsService/GetOperation", ["operation"], fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists operations, newest first: those of one server, also of one that is deleted, or those of the
        caller's project; for operators, those of a host or of the cloud, of the kinds that they may begin.
        Pages. A page may be shorter than asked for, even empty, while there are more: only `next_page_token`
        tells.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, COMPUTE_HOST_NOT_FOUND for a name and HOST_NOT_FOUND for an id;
        INVALID_ARGUMENT / BAD_PAGE_TOKEN or INVALID_REQUEST; PERMISSION_DENIED / FORBIDDEN; UNAVAILABLE /
        LIST_UNAVAILABLE when no database answers, UNAVAILABLE when the host's cell does not.

        Fields: server_id, page_size, page_token, all_projects, states, kinds, created_since, with_resume_token, host, cloud.
        """
        return self._list("/kilonova.api.v1.OperationsService/ListOperations", "operations", fields, timeout)

    def wait(self, *, timeout=None, **fields):
        """Returns when the operation is done, or after the timeout with what it is then. Succeeds on failure too:
        look at `error`.

        Errors: NOT_FOUND / OPERATION_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: name.
        """
        return self._start("/kilonova.api.v1.OperationsService/WaitOperation", ["operation"], fields, timeout)

    def cancel(self, *, timeout=None, **fields):
        """Asks for cancellation; takes effect before the operation's pivot only. Repeatable: cancelling what is
        done changes nothing. Needs the rule that beginning an operation of this kind needs, whoever began it.

        Errors: NOT_FOUND / OPERATION_NOT_FOUND; PERMISSION_DENIED / FORBIDDEN.

        Fields: name.
        """
        return self._start("/kilonova.api.v1.OperationsService/CancelOperation", ["operation"], fields, timeout)


class QuotaSets(Resource):
    """Limits of projects, and of users within them. Changes are repeatable."""

    def get(self, *, timeout=None, **fields):
        """Reads the limits in force for a project or a user, with what is used of them.

        Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.

        Fields: project_id, user_id, with_usage.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/GetQuotaSet", fields, timeout)

    def get_quota_defaults(self, *, timeout=None, **fields):
        """Reads the limits of projects that have none of their own.

        Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.

        Fields: project_id.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/GetQuotaDefaults", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Sets limits of a project or a user; those that are not given stay.

        Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND, UNKNOWN_RESOURCE, LIMIT_BELOW_USE (without force),
        LIMIT_ABOVE_PROJECT (a user's above the project's), PROJECT_WIDE_RESOURCE (a user has no such limit).

        Fields: project_id, user_id, limits, force.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/UpdateQuotaSet", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Takes all limits of a project or a user back to the defaults.

        Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.

        Fields: project_id, user_id.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/DeleteQuotaSet", fields, timeout)

    def get_quota_class_set(self, *, timeout=None, **fields):
        """Reads the limits of a class. "default" is the only class that has an effect: it overrides the
        deployment's defaults.

        Errors: none of its own; classes that nobody has set anything for show the defaults.

        Fields: class_name.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/GetQuotaClassSet", fields, timeout)

    def update_quota_class_set(self, *, timeout=None, **fields):
        """Sets limits of a class; those that are not given stay.

        Errors: INVALID_ARGUMENT / UNKNOWN_RESOURCE.

        Fields: class_name, limits.
        """
        return self._call("/kilonova.api.v1.QuotaSetsService/UpdateQuotaClassSet", fields, timeout)


class RemoteConsoles(Resource):
    """Graphical and serial consoles of servers, reached through proxies."""

    def create(self, *, timeout=None, **fields):
        """Makes a token for one console and answers where to use it. Not repeatable on purpose: each call makes a
        token of its own.

        The token is good until it ends, while the server stays on its host and its guest runs on as it does now.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / CONSOLE_TYPE_INVALID (not one of the protocol),
        CONSOLE_TYPE_UNAVAILABLE (not offered here); FAILED_PRECONDITION / CONSOLE_NOT_READY (no host, or the
        guest does not run), INVALID_STATE (not while it is deleted or migrated).

        Fields: server_id, protocol, type.
        """
        return self._call("/kilonova.api.v1.RemoteConsolesService/CreateRemoteConsole", fields, timeout)

    def get_console_connection(self, *, timeout=None, **fields):
        """Says what a proxy shall connect a token's bearer to. For administrators and proxies.

        Errors: NOT_FOUND / CONSOLE_TOKEN_NOT_FOUND, also for expired ones.

        Fields: token.
        """
        return self._call("/kilonova.api.v1.RemoteConsolesService/GetConsoleConnection", fields, timeout)


class Scheduling(Resource):
    """Why servers are where they are, and where they could be. Nothing here claims, stores or changes anything.

    Hosts are named to administrators only. How many there are, and how near the nearest one was, is told to
    administrators, and to the owner of a server that found no host: it is what its fault says. To others
    has_host and the rules that refuse are told; the size of a cloud is not to be measured by asking.
    """

    def explain_server(self, *, timeout=None, **fields):
        """Says which rules would refuse how many hosts if the server were scheduled again now, elsewhere than on
        its own host. For a server in ERROR after NO_VALID_HOST: whether it would find one now.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.SchedulingService/ExplainServer", fields, timeout)

    def what_if(self, *, timeout=None, **fields):
        """Says what CreateServers would do with the same request now: the same rights and checks, then which rules
        would refuse how many hosts.

        Errors: as CreateServers, without RESOURCE_EXHAUSTED / QUOTA_EXCEEDED: that is part of the answer.

        Fields: request.
        """
        return self._call("/kilonova.api.v1.SchedulingService/WhatIf", fields, timeout)


class ServerGroups(Resource):
    """Groups of servers that shall be together or apart."""

    def create(self, *, timeout=None, **fields):
        """Makes a group without members; servers join it at their creation, by the hint `group`.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST, RULES_NEED_ANTI_AFFINITY; RESOURCE_EXHAUSTED /
        SERVER_GROUP_QUOTA; ABORTED / TOKEN_REUSED.

        Fields: client_token, name, policy, max_server_per_host.
        """
        return self._call("/kilonova.api.v1.ServerGroupsService/CreateServerGroup", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one group with its members that still exist.

        Errors: NOT_FOUND / SERVER_GROUP_NOT_FOUND, also for groups of other projects.

        Fields: server_group_id.
        """
        return self._call("/kilonova.api.v1.ServerGroupsService/GetServerGroup", fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists the groups of the caller's project, oldest first, or of all projects with the second rule. Pages.

        Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: all_projects, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.ServerGroupsService/ListServerGroups", "server_groups", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Deletes a group; its servers stay.

        Errors: NOT_FOUND / SERVER_GROUP_NOT_FOUND.

        Fields: server_group_id.
        """
        return self._call("/kilonova.api.v1.ServerGroupsService/DeleteServerGroup", fields, timeout)


class ServerMetadata(Resource):
    """User metadata of servers. Changes need a server that is ACTIVE, PAUSED, SUSPENDED or STOPPED, and are
    repeatable: the same call again changes nothing.
    """

    def get(self, *, timeout=None, **fields):
        """Reads all items, or one.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, METADATA_ITEM_NOT_FOUND.

        Fields: server_id, key.
        """
        return self._call("/kilonova.api.v1.ServerMetadataService/GetServerMetadata", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Adds or replaces items; with `replace_all` those that are not given go away. The rule is the one of the
        call that REST would have made: create, update for one item, update_all with `replace_all`.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE, INSTANCE_LOCKED;
        RESOURCE_EXHAUSTED / TOO_MANY_METADATA_ITEMS; ABORTED / GENERATION_CONFLICT.

        Fields: server_id, metadata, replace_all, expected_generation, single_item.
        """
        return self._call("/kilonova.api.v1.ServerMetadataService/UpdateServerMetadata", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Removes one item.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, METADATA_ITEM_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE,
        INSTANCE_LOCKED.

        Fields: server_id, key.
        """
        return self._call("/kilonova.api.v1.ServerMetadataService/DeleteServerMetadata", fields, timeout)


class ServerShares(Resource):
    """File shares of servers (virtiofs)."""

    def list(self, *, timeout=None, **fields):
        """Lists the shares of a server. Pages.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: server_id, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.ServerSharesService/ListServerShares", "shares", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one share.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND.

        Fields: server_id, share_id.
        """
        return self._call("/kilonova.api.v1.ServerSharesService/GetServerShare", fields, timeout)

    def attach_share(self, *, timeout=None, **fields):
        """Gives a stopped server a share; the guest sees it after its next start.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
        SHARE_PROTOCOL_UNKNOWN; ALREADY_EXISTS / SHARE_ATTACHED, SHARE_TAG_IN_USE; FAILED_PRECONDITION /
        INVALID_STATE (must be STOPPED), OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
        TOKEN_REUSED.

        Fields: server_id, client_token, share_id, tag.
        """
        return self._start("/kilonova.api.v1.ServerSharesService/AttachShare", ["operation"], fields, timeout)

    def detach_share(self, *, timeout=None, **fields):
        """Takes a share from a stopped server.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be
        STOPPED or ERROR), OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token, share_id.
        """
        return self._start("/kilonova.api.v1.ServerSharesService/DetachShare", ["operation"], fields, timeout)


class ServerTags(Resource):
    """Tags of servers: at most 50 texts of 1 to 60 characters without comma and slash. Changes need a server that
    is ACTIVE, PAUSED, SUSPENDED or STOPPED; no lock stops them; they are repeatable: the same call again
    changes nothing.
    """

    def list(self, *, timeout=None, **fields):
        """Lists the tags, sorted. There are never more than one page.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/ListServerTags", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Says whether the server has the tag, by succeeding.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, TAG_NOT_FOUND.

        Fields: server_id, tag.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/GetServerTag", fields, timeout)

    def add(self, *, timeout=None, **fields):
        """Adds one tag.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST, TOO_MANY_TAGS;
        FAILED_PRECONDITION / INVALID_STATE.

        Fields: server_id, tag.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/AddServerTag", fields, timeout)

    def replace(self, *, timeout=None, **fields):
        """Replaces all tags.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; FAILED_PRECONDITION /
        INVALID_STATE.

        Fields: server_id, tags.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/ReplaceServerTags", fields, timeout)

    def remove(self, *, timeout=None, **fields):
        """Removes one tag.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, TAG_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE.

        Fields: server_id, tag.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/RemoveServerTag", fields, timeout)

    def clear(self, *, timeout=None, **fields):
        """Removes all tags.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServerTagsService/ClearServerTags", fields, timeout)


class Servers(Resource):
    """Servers: virtual machines of a project."""

    def create(self, *, timeout=None, **fields):
        """Accepts one or more servers, all in one transaction. When it returns, each is durable and will become
        ACTIVE, ERROR or be deleted.

        Errors:
        * INVALID_ARGUMENT: names the field; references that do not exist are invalid too (IMAGE_NOT_FOUND,
        FLAVOR_NOT_FOUND, …).
        * RESOURCE_EXHAUSTED / QUOTA_EXCEEDED: names the resources.
        * ABORTED / TOKEN_REUSED: the client token was used with another body.

        Fields: client_token, name, flavor_id, image_id, networks, network_mode, security_groups, key_name, metadata, tags, config_drive, availability_zone, description, access_ip_v4, access_ip_v6, disk_config, admin_password, min_count, max_count, hostname, trusted_image_certificates, files, host, hypervisor_hostname, scheduler_hints, block_devices, without_multiattach, user_data.
        """
        return self._start("/kilonova.api.v1.ServersService/CreateServers", ["operations"], fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one server.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, also for servers of other projects.

        Fields: server_id, with_user_data, with_host_info.
        """
        return self._call("/kilonova.api.v1.ServersService/GetServer", fields, timeout)

    def list(self, *, timeout=None, **fields):
        """Lists servers of the caller's project, or of all with the right to. Pages. With `brief` the index rules
        decide.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST, BAD_PAGE_TOKEN; UNAVAILABLE /
        LIST_UNAVAILABLE.

        Fields: filter, all_projects, sort, page_size, page_token, with_host_info, brief, with_resume_token.
        """
        return self._list("/kilonova.api.v1.ServersService/ListServers", "servers", fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Changes name, description, hostname, access addresses or the pin to a zone. Repeatable. No lock stops it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; ABORTED / GENERATION_CONFLICT,
        PIN_CONFLICT (pinned to another zone, or not in the zone asked for).

        Fields: server_id, server, update_mask, expected_generation.
        """
        return self._call("/kilonova.api.v1.ServersService/UpdateServer", fields, timeout)

    def delete(self, *, timeout=None, **fields):
        """Deletes a server, whatever is being done to it. Slow work: answers an operation. Deleting twice is
        accepted. Where the deployment keeps deleted servers for a while, one that ever was active becomes
        SOFT_DELETED instead: the operation's kind tells which it is.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INSTANCE_LOCKED; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/DeleteServer", ["operation"], fields, timeout)

    def start(self, *, timeout=None, **fields):
        """Powers a stopped server on.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be STOPPED), NOT_READY,
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/StartServer", ["operation"], fields, timeout)

    def stop(self, *, timeout=None, **fields):
        """Powers a server off, gracefully first.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE or ERROR),
        NOT_READY, INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/StopServer", ["operation"], fields, timeout)

    def reboot(self, *, timeout=None, **fields):
        """Restarts a server.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (SOFT: must be ACTIVE; HARD:
        ACTIVE, STOPPED, PAUSED, SUSPENDED or ERROR), INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED /
        TOKEN_REUSED.

        Fields: server_id, type, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/RebootServer", ["operation"], fields, timeout)

    def get_console_output(self, *, timeout=None, **fields):
        """Reads the end of the serial console's log.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / CONSOLE_NOT_READY; UNAVAILABLE: the host does
        not answer.

        Fields: server_id, lines.
        """
        return self._call("/kilonova.api.v1.ServersService/GetConsoleOutput", fields, timeout)

    def pause(self, *, timeout=None, **fields):
        """Freezes the guest in memory.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING: the hypervisor cannot;
        ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/PauseServer", ["operation"], fields, timeout)

    def unpause(self, *, timeout=None, **fields):
        """Lets a paused guest go on.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be PAUSED),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/UnpauseServer", ["operation"], fields, timeout)

    def suspend(self, *, timeout=None, **fields):
        """Saves the guest's memory to disk and frees it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/SuspendServer", ["operation"], fields, timeout)

    def resume(self, *, timeout=None, **fields):
        """Loads the saved memory and goes on.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SUSPENDED),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/ResumeServer", ["operation"], fields, timeout)

    def rescue(self, *, timeout=None, **fields):
        """Boots a rescue image with the server's own disk as the second one. An image with the property
        hw_rescue_device or hw_rescue_bus (stable device rescue) leaves all of the server's disks where they are,
        and is the last one.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST, IMAGE_NOT_FOUND,
        IMAGE_NOT_ACTIVE, IMAGE_UNACCEPTABLE, BAD_IMAGE_PROPERTIES, VOLUME_BACKED; FAILED_PRECONDITION /
        INVALID_STATE (must be ACTIVE, STOPPED or ERROR), INSTANCE_LOCKED, OPERATION_IN_PROGRESS,
        VOLUME_NOT_IN_USE; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token, image_id, admin_password, volume_backed.
        """
        return self._start("/kilonova.api.v1.ServersService/RescueServer", ["operation"], fields, timeout)

    def unrescue(self, *, timeout=None, **fields):
        """Goes back from the rescue image to the server's own disk; the server is ACTIVE then, whatever it was
        before its rescue.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be RESCUED),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/UnrescueServer", ["operation"], fields, timeout)

    def lock(self, *, timeout=None, **fields):
        """Keeps tenants from changing the server. Locking a locked server changes nothing, except that an
        administrator's lock replaces an owner's.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY (while it has no cell yet);
        INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: server_id, reason, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/LockServer", ["operation"], fields, timeout)

    def unlock(self, *, timeout=None, **fields):
        """Takes the lock away. Unlocking an unlocked server is accepted.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY (while it has no cell yet);
        PERMISSION_DENIED / FORBIDDEN: the other party's lock needs the second rule.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/UnlockServer", ["operation"], fields, timeout)

    def rebuild(self, *, timeout=None, **fields):
        """Makes the server anew from an image; id, addresses and host stay. Never touches its allocation. The
        record changes when the old disk has gone: a rebuild that fails before has changed nothing.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE,
        IMAGE_UNACCEPTABLE (also: another image for a root volume that is to stay as it is), VOLUME_NOT_IN_USE,
        CERTIFICATES_NEED_IMAGE, BAD_BLOCK_DEVICES, BAD_IMAGE_PROPERTIES, FLAVOR_MEMORY_TOO_SMALL,
        FLAVOR_DISK_SMALLER_THAN_IMAGE, FLAVOR_DISK_SMALLER_THAN_MIN_DISK, DISK_CONFIG_DISABLED,
        KEY_PAIR_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED or ERROR),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS, ROOT_VOLUME_UNKNOWN (it was never made); RESOURCE_EXHAUSTED /
        TOO_MANY_METADATA_ITEMS, TOO_MANY_FILES, FILE_PATH_TOO_LONG, FILE_TOO_LONG; UNIMPLEMENTED /
        CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST (the host is none for the
        new image), VOLUME_NOT_REIMAGED.

        Fields: server_id, client_token, image_id, admin_password, preserve_ephemeral, files, server, update_mask, reimage_root_volume.
        """
        return self._start("/kilonova.api.v1.ServersService/RebuildServer", ["operation"], fields, timeout)

    def resize(self, *, timeout=None, **fields):
        """Moves the server to another flavor, on another host. Ends in RESIZED: confirm or revert it then.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / FLAVOR_NOT_FOUND, SAME_FLAVOR, ZERO_DISK_FLAVOR,
        DISK_CANNOT_SHRINK, DISK_CONFIG_DISABLED, FLAVOR_MEMORY_TOO_SMALL, FLAVOR_DISK_SMALLER_THAN_IMAGE,
        FLAVOR_DISK_SMALLER_THAN_MIN_DISK; PERMISSION_DENIED / ZERO_DISK_FLAVOR; FAILED_PRECONDITION /
        INVALID_STATE (must be ACTIVE or STOPPED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
        RESOURCE_EXHAUSTED / QUOTA_EXCEEDED; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within
        the operation: NO_VALID_HOST.

        Fields: server_id, client_token, flavor_id, disk_config.
        """
        return self._start("/kilonova.api.v1.ServersService/ResizeServer", ["operation"], fields, timeout)

    def confirm_resize(self, *, timeout=None, **fields):
        """Keeps the new flavor or host of a RESIZED server and frees the old ones.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_FOUND; FAILED_PRECONDITION /
        INVALID_STATE (must be RESIZED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN; ABORTED /
        TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/ConfirmServerResize", ["operation"], fields, timeout)

    def revert_resize(self, *, timeout=None, **fields):
        """Goes back to the old flavor and host of a RESIZED server.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_FOUND; FAILED_PRECONDITION /
        INVALID_STATE (must be RESIZED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN (of either host);
        ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/RevertServerResize", ["operation"], fields, timeout)

    def migrate(self, *, timeout=None, **fields):
        """Moves the server to another host while it is off. Ends in RESIZED, as a resize does.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / HOST_NOT_FOUND, SAME_HOST; FAILED_PRECONDITION /
        INVALID_STATE (must be ACTIVE or STOPPED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
        UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST.

        Fields: server_id, client_token, host.
        """
        return self._start("/kilonova.api.v1.ServersService/MigrateServer", ["operation"], fields, timeout)

    def live_migrate(self, *, timeout=None, **fields):
        """Moves the running guest to another host.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / HOST_NOT_FOUND, SAME_HOST; FAILED_PRECONDITION /
        INVALID_STATE (must be ACTIVE or PAUSED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
        UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST,
        MIGRATION_CHECK_FAILED.

        Fields: server_id, client_token, host, block_migration.
        """
        return self._start("/kilonova.api.v1.ServersService/LiveMigrateServer", ["operation"], fields, timeout)

    def evacuate(self, *, timeout=None, **fields):
        """Makes the server anew on another host because its own is gone. The old host is fenced first. An operation
        under way is pre-empted, and no lock stops it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, HOST_NOT_FOUND; INVALID_ARGUMENT / SAME_HOST, HOST_STILL_UP;
        FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED or ERROR); ABORTED / TOKEN_REUSED. Within
        the operation: NO_VALID_HOST, HOST_NOT_FENCED.

        Fields: server_id, client_token, host, admin_password.
        """
        return self._start("/kilonova.api.v1.ServersService/EvacuateServer", ["operation"], fields, timeout)

    def shelve(self, *, timeout=None, **fields):
        """Stops the server and takes a snapshot of its disk. One whose disk is a volume leaves its host at once.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED,
        PAUSED or SUSPENDED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED
        / TOKEN_REUSED. Within the operation: IMAGE_QUOTA.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/ShelveServer", ["operation"], fields, timeout)

    def offload(self, *, timeout=None, **fields):
        """Takes a shelved server off its host now.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SHELVED),
        INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/OffloadServer", ["operation"], fields, timeout)

    def unshelve(self, *, timeout=None, **fields):
        """Brings a shelved server back.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / ZONE_NOT_AVAILABLE, HOST_NOT_FOUND;
        FAILED_PRECONDITION / INVALID_STATE (must be SHELVED or SHELVED_OFFLOADED), NOT_OFFLOADED (zone or host
        of a server that has one), HOST_NOT_IN_ZONE, INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED /
        TOKEN_REUSED. Within the operation: NO_VALID_HOST, SHELVED_IMAGE_GONE.

        Fields: server_id, client_token, availability_zone, host.
        """
        return self._start("/kilonova.api.v1.ServersService/UnshelveServer", ["operation"], fields, timeout)

    def create_image(self, *, timeout=None, **fields):
        """Takes a snapshot of the server's disk into the Image service. No lock stops it. Of a server whose root
        disk is a volume the image has no data, and names snapshots of all its volumes.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED,
        PAUSED or SUSPENDED), OPERATION_IN_PROGRESS; RESOURCE_EXHAUSTED / IMAGE_QUOTA, SNAPSHOT_QUOTA;
        UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: QUIESCE_FAILED,
        SNAPSHOT_NOT_MADE.

        Fields: server_id, client_token, name, metadata.
        """
        return self._start("/kilonova.api.v1.ServersService/CreateServerImage", ["operation"], fields, timeout)

    def create_backup(self, *, timeout=None, **fields):
        """As CreateServerImage, and deletes the oldest images of the same backup type beyond `rotation`.

        Errors: as CreateServerImage; INVALID_ARGUMENT / VOLUME_BACKED.

        Fields: server_id, client_token, name, backup_type, rotation, metadata.
        """
        return self._start("/kilonova.api.v1.ServersService/CreateServerBackup", ["operation"], fields, timeout)

    def restore(self, *, timeout=None, **fields):
        """Brings a SOFT_DELETED server back.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SOFT_DELETED),
        OPERATION_IN_PROGRESS; RESOURCE_EXHAUSTED / QUOTA_EXCEEDED; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/RestoreServer", ["operation"], fields, timeout)

    def force_delete(self, *, timeout=None, **fields):
        """Deletes a server at once, also where the deployment would keep it for a while first.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INSTANCE_LOCKED; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/ForceDeleteServer", ["operation"], fields, timeout)

    def reset_state(self, *, timeout=None, **fields):
        """Sets the record's state; nothing happens on the host. Operations under way are pre-empted, all but a
        deletion. No lock stops it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST (only ACTIVE or ERROR);
        FAILED_PRECONDITION / NOT_READY (it has no cell yet), OPERATION_IN_PROGRESS (it is being deleted);
        RESOURCE_EXHAUSTED / QUOTA_EXCEEDED (a SOFT_DELETED one counts again).

        Fields: server_id, vm_state.
        """
        return self._call("/kilonova.api.v1.ServersService/ResetServerState", fields, timeout)

    def change_password(self, *, timeout=None, **fields):
        """Sets the administrator's password in the guest through its agent.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
        INSTANCE_LOCKED, GUEST_AGENT_MISSING, OPERATION_IN_PROGRESS; INVALID_ARGUMENT / INVALID_REQUEST;
        UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.

        Fields: server_id, client_token, admin_password.
        """
        return self._start("/kilonova.api.v1.ServersService/ChangeServerPassword", ["operation"], fields, timeout)

    def trigger_crash_dump(self, *, timeout=None, **fields):
        """Makes the guest's kernel dump its memory (a non-maskable interrupt). The server's state does not change.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, PAUSED,
        RESCUED, RESIZED or ERROR), NOT_READY, INSTANCE_LOCKED; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
        TOKEN_REUSED.

        Fields: server_id, client_token.
        """
        return self._start("/kilonova.api.v1.ServersService/TriggerCrashDump", ["operation"], fields, timeout)

    def add_security_group(self, *, timeout=None, **fields):
        """Puts a security group on all ports of the server. A repetition changes nothing. No lock stops it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, SECURITY_GROUP_NOT_FOUND; FAILED_PRECONDITION /
        SECURITY_GROUP_AMBIGUOUS; INVALID_ARGUMENT / PORT_SECURITY_DISABLED.

        Fields: server_id, security_group.
        """
        return self._call("/kilonova.api.v1.ServersService/AddServerSecurityGroup", fields, timeout)

    def remove_security_group(self, *, timeout=None, **fields):
        """Takes a security group from all ports of the server. No lock stops it.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, SECURITY_GROUP_NOT_FOUND; FAILED_PRECONDITION /
        SECURITY_GROUP_AMBIGUOUS.

        Fields: server_id, security_group.
        """
        return self._call("/kilonova.api.v1.ServersService/RemoveServerSecurityGroup", fields, timeout)

    def list_security_groups(self, *, timeout=None, **fields):
        """Lists the security groups of the server's ports, with their rules. Pages.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: server_id, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.ServersService/ListServerSecurityGroups", "security_groups", fields, timeout)

    def get_diagnostics(self, *, timeout=None, **fields):
        """Reads counters of the running guest from its hypervisor.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY, INVALID_STATE; UNIMPLEMENTED /
        CAPABILITY_MISSING; UNAVAILABLE: the host does not answer.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServersService/GetServerDiagnostics", fields, timeout)

    def get_topology(self, *, timeout=None, **fields):
        """Reads how the guest's CPUs and memory lie on NUMA nodes. The second rule shows where on the host they
        are.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServersService/GetServerTopology", fields, timeout)

    def get_addresses(self, *, timeout=None, **fields):
        """Reads the addresses of the server's ports, none before it is built; those of one network with the second
        rule.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id, network_label.
        """
        return self._call("/kilonova.api.v1.ServersService/GetServerAddresses", fields, timeout)

    def get_password(self, *, timeout=None, **fields):
        """Reads the password that the guest has encrypted with the server's key pair and left with the metadata
        service.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServersService/GetServerPassword", fields, timeout)

    def clear_password(self, *, timeout=None, **fields):
        """Forgets that password; the guest's own does not change. A repetition changes nothing.

        Errors: NOT_FOUND / SERVER_NOT_FOUND.

        Fields: server_id.
        """
        return self._call("/kilonova.api.v1.ServersService/ClearServerPassword", fields, timeout)


class Usage(Resource):
    """What projects have used over time."""

    def list_project_usages(self, *, timeout=None, **fields):
        """Adds up the use of all projects in a period. Pages over servers: a project may be told of on several
        pages, each with a part of its sum.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST (end not after start), BAD_PAGE_TOKEN.

        Fields: start, end, with_servers, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.UsageService/ListProjectUsages", "usages", fields, timeout)

    def get_project(self, *, timeout=None, **fields):
        """Adds up the use of one project in a period. Pages over servers.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST (end not after start), BAD_PAGE_TOKEN.

        Fields: project_id, start, end, page_size, page_token.
        """
        return self._call("/kilonova.api.v1.UsageService/GetProjectUsage", fields, timeout)

    def get_audit(self, *, timeout=None, **fields):
        """Reads how far the hosts have come with their usage records of one period.

        Errors: INVALID_ARGUMENT / INVALID_REQUEST.

        Fields: before.
        """
        return self._call("/kilonova.api.v1.UsageService/GetUsageAudit", fields, timeout)


class VolumeAttachments(Resource):
    """Volumes of servers. Within a server the volume's id names the attachment."""

    def list(self, *, timeout=None, **fields):
        """Lists the attached volumes, the root volume first. Pages.

        Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.

        Fields: server_id, page_size, page_token.
        """
        return self._list("/kilonova.api.v1.VolumeAttachmentsService/ListVolumeAttachments", "volume_attachments", fields, timeout)

    def get(self, *, timeout=None, **fields):
        """Reads one attachment.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND.

        Fields: server_id, volume_id.
        """
        return self._call("/kilonova.api.v1.VolumeAttachmentsService/GetVolumeAttachment", fields, timeout)

    def attach_volume(self, *, timeout=None, **fields):
        """Attaches a volume, also while the guest runs. Several of one server follow one another.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
        VOLUME_ALREADY_ATTACHED, VOLUME_ENCRYPTED, MULTIATTACH_NOT_SUPPORTED, TAG_WHILE_OFFLOADED,
        MULTIATTACH_WHILE_OFFLOADED (both of a server that is SHELVED_OFFLOADED); FAILED_PRECONDITION /
        INVALID_STATE (must be ACTIVE, PAUSED, STOPPED, RESIZED, SOFT_DELETED, SHELVED or SHELVED_OFFLOADED),
        INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND,
        BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED. What is found out later is the operation's error:
        DEVICE_IN_USE, VOLUME_ALREADY_ATTACHED, TOO_MANY_VOLUMES, VOLUME_NOT_AVAILABLE, VOLUME_NOT_REACHABLE and
        what the host says.

        Fields: server_id, client_token, volume_id, device, tag, delete_on_termination, wait, refuse_multiattach, refuse_shelved.
        """
        return self._start("/kilonova.api.v1.VolumeAttachmentsService/AttachVolume", ["operation"], fields, timeout)

    def update(self, *, timeout=None, **fields):
        """Changes `delete_on_termination`, or lets another volume of at least the same size take the place of one
        that is migrating: the latter is for the Block Storage service, and needs the second rule. A lock and the
        server's state are nothing to the flag. A request for both changes the flag first, whatever becomes of
        the rest.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND; INVALID_ARGUMENT /
        INVALID_REQUEST (also of a new volume that there is not), NOT_CHANGEABLE, VOLUME_NOT_SWAPPABLE,
        MULTIATTACH_SWAP, VOLUME_TOO_SMALL, VOLUME_ENCRYPTED; FAILED_PRECONDITION / INVALID_STATE (must be
        ACTIVE, PAUSED or RESIZED), VOLUME_NOT_MIGRATING, INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED /
        CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND, BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED.
        What is found out later is the operation's error: VOLUME_NOT_DETACHABLE, VOLUME_NOT_AVAILABLE,
        VOLUME_NOT_REACHABLE and what the host says; the server keeps its volume then.

        Fields: server_id, client_token, volume_id, new_volume_id, delete_on_termination, unchanged, only_swap.
        """
        return self._start("/kilonova.api.v1.VolumeAttachmentsService/UpdateVolumeAttachment", ["operation"], fields, timeout)

    def detach_volume(self, *, timeout=None, **fields):
        """Detaches a volume; not the root volume.

        Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND; INVALID_ARGUMENT /
        ROOT_VOLUME, VOLUME_NOT_DETACHABLE; FAILED_PRECONDITION / INVALID_STATE (as AttachVolume), HOST_DOWN,
        INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND,
        BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED. A guest that does not let go of the device in time is
        the operation's error DEVICE_DETACH_FAILED; the server keeps the volume then.

        Fields: server_id, client_token, volume_id, refuse_shelved.
        """
        return self._start("/kilonova.api.v1.VolumeAttachmentsService/DetachVolume", ["operation"], fields, timeout)


class Resources:
    """One client for each service."""

    def __init__(self, caller):
        self.aggregates = Aggregates(caller)
        self.assisted_volume_snapshots = AssistedVolumeSnapshots(caller)
        self.availability_zones = AvailabilityZones(caller)
        self.compute_services = ComputeServices(caller)
        self.events = Events(caller)
        self.external_events = ExternalEvents(caller)
        self.flavors = Flavors(caller)
        self.hypervisors = Hypervisors(caller)
        self.instance_actions = InstanceActions(caller)
        self.interfaces = Interfaces(caller)
        self.key_pairs = KeyPairs(caller)
        self.limits = Limits(caller)
        self.migrations = Migrations(caller)
        self.operations = Operations(caller)
        self.quota_sets = QuotaSets(caller)
        self.remote_consoles = RemoteConsoles(caller)
        self.scheduling = Scheduling(caller)
        self.server_groups = ServerGroups(caller)
        self.server_metadata = ServerMetadata(caller)
        self.server_shares = ServerShares(caller)
        self.server_tags = ServerTags(caller)
        self.servers = Servers(caller)
        self.usage = Usage(caller)
        self.volume_attachments = VolumeAttachments(caller)
