package muster.interop;

import java.util.List;
import java.util.Map;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.client.RestClient;

/** The Nacos half of a mixed pair: {@code Mixed SCENARIO ADDRESS:PORT TOKEN}. */
public final class Mixed {
    private Mixed() {}

    public static void main(String[] arguments) {
        String address = arguments[1];
        String own = "nacos-" + arguments[2];
        String other = "eureka-" + arguments[2];
        Driver.run(checks -> {
            ConfigurableApplicationContext provider = Application.web(address, own, DiscoveryScenario.Provider.class,
                    "who=" + own, "spring.cloud.nacos.discovery.metadata.colour=of " + own);
            ConfigurableApplicationContext consumer =
                    Application.web(address, own + "-consumer", DiscoveryScenario.Consumer.class);
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
