package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Driver.readyAndWait;
import static muster.interop.Driver.unique;

import java.time.Duration;
import java.util.List;
import muster.interop.EurekaClient.Starter;

/** The scenarios every Eureka client goes through; see interop/README.md. */
public final class EurekaScenarios {
    /** A lost registration is back within one interval; the rest is for a loaded machine. */
    private static final Duration ONE_INTERVAL = Duration.ofSeconds(EurekaClient.RENEWAL_SECONDS).plusMillis(2500);

    private final Checks checks;
    private final String address;
    private final String victim;
    private final EurekaServer server;
    private final Starter starter;

    private EurekaScenarios(Checks checks, String address, String suite, Starter starter) {
        this.checks = checks;
        this.address = address;
        this.victim = "victim-" + suite;
        this.server = new EurekaServer(address);
        this.starter = starter;
    }

    /** Runs {@code SCENARIO ADDRESS:PORT SUITE}, if the scenario is one of these. */
    public static boolean run(Checks checks, String[] arguments, Starter starter) throws Exception {
        EurekaScenarios scenarios = new EurekaScenarios(checks, arguments[1], arguments[2], starter);
        switch (arguments[0]) {
            case "client" -> scenarios.client();
            case "observe" -> scenarios.observe();
            case "victim" -> scenarios.victim();
            case "loss" -> scenarios.loss();
            default -> {
                return false;
            }
        }
        return true;
    }

    private void client() throws Exception {
        String app = unique("client");
        String other = unique("neighbour");
        server.register(other, "one", 7001, "blue");
        EurekaClient client = starter.start(address, app);
        checks.check("register", () -> {
            eventually("UP", () -> server.status(app, client.id()));
            equal("green", server.instance(app, client.id()).orElseThrow().colour());
        });
        checks.check("fetch", () -> {
            eventually(List.of("7001 blue"), () -> client.shown(other));
            eventually(1, () -> client.shown(app).size());
        });
        checks.check("changes", () -> {
            server.register(other, "two", 7002, "red");
            eventually(List.of("7001 blue", "7002 red"), () -> client.shown(other));
            server.register(other, "two", 7002, "pink");
            eventually(List.of("7001 blue", "7002 pink"), () -> client.shown(other));
            server.override(other, "one", "OUT_OF_SERVICE");
            eventually(List.of("7002 pink"), () -> client.shown(other));
            server.clearOverride(other, "one");
            server.remove(other, "two");
            eventually(List.of("7001 blue"), () -> client.shown(other));
        });
        checks.check("renew", () -> {
            // Past the whole lease, so that only renewals can have kept it.
            long first = server.instance(app, client.id()).orElseThrow().renewedMillis();
            long lease = EurekaClient.RENEWAL_SECONDS * 3_000L + 1_000;
            eventually(true, () -> server.instance(app, client.id()).orElseThrow().renewedMillis() > first + lease);
            equal("UP", server.status(app, client.id()));
        });
        checks.check("lost", () -> {
            server.remove(app, client.id());
            equal("absent", server.status(app, client.id()));
            eventually(ONE_INTERVAL, "UP", () -> server.status(app, client.id()));
        });
        checks.check("cancel", () -> {
            client.close();
            eventually("absent", () -> server.status(app, client.id()));
        });
    }

    /** Sees another process of this client come, and go when it is killed. */
    private void observe() throws Exception {
        EurekaClient client = starter.start(address, unique("observer"));
        readyAndWait();
        checks.check("seen", () -> eventually(1, () -> client.shown(victim).size()));
        readyAndWait();
        checks.check("vanished", () -> eventually(0, () -> client.shown(victim).size()));
        client.close();
    }

    private void victim() throws Exception {
        starter.start(address, victim);
        readyAndWait();
    }

    /** The server has had more changes than a delta can tell; later it is killed and comes back with nothing. */
    private void loss() throws Exception {
        String app = unique("loss");
        String other = unique("neighbour");
        server.register(other, "one", 7001, "blue");
        EurekaClient client = starter.start(address, app);
        checks.check("full", () -> {
            eventually(List.of("7001 blue"), () -> client.shown(other));
            server.register(other, "two", 7002, "red");
            eventually(List.of("7001 blue", "7002 red"), () -> client.shown(other));
            server.remove(other, "one");
            eventually(List.of("7002 red"), () -> client.shown(other));
        });
        checks.check("back", () -> {
            eventually("UP", () -> server.status(app, client.id()));
            // The driver kills the server, empties its folder and starts it again.
            readyAndWait();
            eventually(ONE_INTERVAL, "UP", () -> server.status(app, client.id()));
            eventually(1, () -> client.shown(app).size());
        });
    }
}
