package muster.interop;

import java.util.List;
import java.util.Map;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.client.RestClient;

/** The Eureka half of a mixed pair: {@code CallsMixed SCENARIO ADDRESS:PORT TOKEN}. */
public final class CallsMixed {
    private CallsMixed() {}

    public static void main(String[] arguments) {
        String address = arguments[1];
        String own = "eureka-" + arguments[2];
        String other = "nacos-" + arguments[2];
        Driver.run(checks -> {
            ConfigurableApplicationContext provider = SpringClient.run(
                    address, own, own, Map.of("eureka.instance.metadata-map.colour", "of " + own), Calls.Provider.class);
            System.setProperty("provider", other);
            ConfigurableApplicationContext consumer =
                    SpringClient.run(address, own + "-consumer", own + "-consumer", Map.of(), Calls.Consumer.class);
            MixedScenario.run(checks, own, other, provider, new Consumer(
                    consumer.getBean(RestClient.Builder.class).build(), consumer.getBean(DiscoveryClient.class)));
        });
    }

    private record Consumer(RestClient client, DiscoveryClient discovery) implements MixedScenario.Consumer {
        @Override
        public String who(String name) {
            return client.get().uri("http://" + name + "/who").retrieve().body(String.class);
        }

        @Override
        public List<Map<String, String>> metadata(String name) {
            return discovery.getInstances(name).stream().map(ServiceInstance::getMetadata).toList();
        }
    }
}
