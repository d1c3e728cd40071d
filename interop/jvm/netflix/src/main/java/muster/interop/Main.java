package muster.interop;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.appinfo.MyDataCenterInstanceConfig;
import com.netflix.appinfo.providers.EurekaConfigBasedInstanceInfoProvider;
import com.netflix.config.ConfigurationManager;
import com.netflix.discovery.DefaultEurekaClientConfig;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.shared.Application;
import java.util.List;
import java.util.stream.Stream;

/** Drives Netflix's own eureka-client through one scenario: {@code Main SCENARIO ADDRESS:PORT SUITE}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Driver.run(checks -> {
            boolean known = EurekaScenarios.run(checks, arguments, Main::start);
            Checks.holds(known, "no scenario " + arguments[0]);
        });
    }

    private static EurekaClient start(String address, String name) {
        set("eureka.name", name);
        set("eureka.vipAddress", name);
        set("eureka.instanceId", name + ":1");
        set("eureka.port", 7000);
        set("eureka.metadata.colour", "green");
        set("eureka.lease.renewalInterval", EurekaClient.RENEWAL_SECONDS);
        set("eureka.lease.duration", 3 * EurekaClient.RENEWAL_SECONDS);
        set("eureka.client.refresh.interval", EurekaClient.FETCH_SECONDS);
        set("eureka.region", "default");
        set("eureka.shouldUseDns", false);
        set("eureka.serviceUrl.default", "http://" + address + "/eureka/");
        MyDataCenterInstanceConfig config = new MyDataCenterInstanceConfig();
        InstanceInfo own = new EurekaConfigBasedInstanceInfoProvider(config).get();
        ApplicationInfoManager manager = new ApplicationInfoManager(config, own);
        DiscoveryClient client = new DiscoveryClient(manager, new DefaultEurekaClientConfig());
        manager.setInstanceStatus(InstanceStatus.UP);
        return new Client(own.getId(), client);
    }

    private static void set(String key, Object value) {
        ConfigurationManager.getConfigInstance().setProperty(key, value);
    }

    private record Client(String id, DiscoveryClient client) implements EurekaClient {
        @Override
        public List<String> shown(String app) {
            Stream<Application> found = Stream.ofNullable(client.getApplication(app.toUpperCase()));
            return found.flatMap(application -> application.getInstances().stream())
                    .map(instance -> instance.getPort() + " " + instance.getMetadata().get("colour"))
                    .sorted()
                    .toList();
        }

        @Override
        public void close() {
            client.shutdown();
        }
    }
}
