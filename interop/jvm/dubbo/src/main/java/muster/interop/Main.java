package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Checks.holds;
import static muster.interop.Driver.unique;

import muster.interop.DubboApplication.Calls;
import org.springframework.context.ConfigurableApplicationContext;

/** Drives Dubbo 3 through one scenario: {@code Main SCENARIO ADDRESS:PORT}. */
public final class Main {
    private static final String GREETING = "one greets world";
    private static final String NO_PROVIDER = "no provider";

    private final Checks checks;
    private final String nacos;
    private final NacosConfigs configs;

    private Main(Checks checks, String address) {
        this.checks = checks;
        // A namespace for each run, as the name of the service is always the same.
        String namespace = unique("dubbo");
        this.nacos = "nacos://" + address + "?namespace=" + namespace;
        this.configs = new NacosConfigs(address, namespace);
    }

    public static void main(String[] arguments) {
        Driver.run(checks -> {
            Main main = new Main(checks, arguments[1]);
            switch (arguments[0]) {
                case "interface" -> main.interfaceLevel();
                case "application" -> main.applicationLevel();
                default -> throw new IllegalArgumentException("no scenario " + arguments[0]);
            }
        });
    }

    /** A service is registered under its interface; registry and rules come from the config centre. */
    private void interfaceLevel() throws Exception {
        // All that an application is told is where the config centre is: what follows stands there, in the group "dubbo".
        configs.publish("dubbo", "dubbo.properties", "dubbo.registry.address=" + nacos
                + "\ndubbo.registry.use-as-metadata-report=false\ndubbo.registry.use-as-config-center=false"
                + "\ndubbo.application.register-mode=interface");
        String centre = "dubbo.config-center.address=" + nacos;
        String provider = unique("provider");
        String consumer = unique("consumer");
        ConfigurableApplicationContext one = DubboApplication.provider(provider, "one", centre);
        ConfigurableApplicationContext calling = DubboApplication.consumer(
                consumer, centre, "dubbo.application.service-discovery.migration=FORCE_INTERFACE");
        checks.check("config-centre", () -> eventually(GREETING, () -> greeting(calling)));
        checks.check("live", () -> live(calling, one, provider, centre));
        checks.check("rule", () -> {
            String rule = consumer + ".condition-router";
            configs.publish("dubbo", rule, """
                    configVersion: v3.0
                    scope: application
                    force: true
                    enabled: true
                    key: %s
                    conditions:
                      - "=> host = 203.0.113.1"
                    """.formatted(consumer));
            eventually(NO_PROVIDER, () -> greeting(calling));
            configs.remove("dubbo", rule);
            eventually("two greets world", () -> greeting(calling));
        });
        calling.close();
    }

    /** An application is registered once; what it offers stands in the metadata report. */
    private void applicationLevel() throws Exception {
        String[] settings = {
            "dubbo.registry.address=" + nacos,
            "dubbo.registry.use-as-metadata-report=false",
            "dubbo.metadata-report.address=" + nacos,
            "dubbo.application.register-mode=instance",
            "dubbo.application.metadata-type=remote",
            "dubbo.application.service-discovery.migration=FORCE_APPLICATION",
        };
        String provider = unique("provider");
        ConfigurableApplicationContext one = DubboApplication.provider(provider, "one", settings);
        ConfigurableApplicationContext calling = DubboApplication.consumer(unique("consumer"), settings);
        checks.check("call", () -> eventually(GREETING, () -> greeting(calling)));
        checks.check("metadata-report", () -> {
            equal(provider, configs.content("mapping", Greeter.class.getName()));
            String definition = Greeter.class.getName() + ":1.0.0:polite:provider:" + provider;
            holds(configs.content("dubbo", definition).contains("greet"), "the definition of the service is not there");
        });
        checks.check("live", () -> live(calling, one, provider, settings));
        calling.close();
    }

    /** The only provider leaves, later another one comes. */
    private static void live(
            ConfigurableApplicationContext calling, ConfigurableApplicationContext one, String name, String... settings)
            throws Exception {
        one.close();
        eventually(NO_PROVIDER, () -> greeting(calling));
        DubboApplication.provider(name, "two", settings);
        eventually("two greets world", () -> greeting(calling));
    }

    private static String greeting(ConfigurableApplicationContext calling) {
        try {
            return calling.getBean(Calls.class).greeting();
        } catch (org.apache.dubbo.rpc.RpcException refused) {
            return refused.isNoInvokerAvailableAfterFilter() || refused.getMessage().contains("No provider")
                    ? NO_PROVIDER
                    : refused.toString();
        }
    }
}
