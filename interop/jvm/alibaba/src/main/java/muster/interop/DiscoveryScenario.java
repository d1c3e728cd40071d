package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Checks.holds;
import static muster.interop.Driver.unique;

import java.util.Set;
import java.util.TreeSet;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** Providers in clusters, with weights and in namespaces, and a consumer that calls them by name. */
final class DiscoveryScenario {
    private static final String NACOS_BALANCER = "spring.cloud.loadbalancer.nacos.enabled=true";
    private static final String CLUSTER = "spring.cloud.nacos.discovery.cluster-name=";
    private static final String WEIGHT = "spring.cloud.nacos.discovery.weight=";
    private static final String NAMESPACE = "spring.cloud.nacos.discovery.namespace=";

    private final Checks checks;
    private final String address;

    DiscoveryScenario(Checks checks, String address) {
        this.checks = checks;
        this.address = address;
    }

    /** Answers with the name it was given. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Provider {
        @Value("${who}")
        private String who;

        @GetMapping("/who")
        String who() {
            return who;
        }
    }

    /** Calls by name only. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Consumer {
        @Bean
        @LoadBalanced
        RestClient.Builder balancedClient() {
            return RestClient.builder();
        }
    }

    void run() {
        checks.check("calls", this::calls);
        checks.check("cluster", this::cluster);
        checks.check("weights", this::weights);
        checks.check("namespace", this::namespace);
    }

    /** The starters as they are: both instances are called, the fields come through, one leaves. */
    private void calls() throws Exception {
        String name = unique("provider");
        var one = provider(name, "one", "spring.cloud.nacos.discovery.metadata.colour=green");
        var two = provider(name, "two", "spring.cloud.nacos.discovery.metadata.colour=green");
        var consumer = consumer("calls");
        eventually(Set.of("one", "two"), () -> called(consumer, name));
        for (var instance : consumer.getBean(DiscoveryClient.class).getInstances(name)) {
            equal("green", instance.getMetadata().get("colour"));
            equal("true", instance.getMetadata().get("nacos.healthy"));
        }
        two.close();
        eventually(Set.of("one"), () -> called(consumer, name));
        close(consumer, one);
    }

    /** Same cluster first, the others when it has none left. */
    private void cluster() throws Exception {
        String name = unique("clustered");
        var near = provider(name, "near", CLUSTER + "EAST");
        var far = provider(name, "far", CLUSTER + "WEST");
        var consumer = consumer("cluster", CLUSTER + "EAST", NACOS_BALANCER);
        eventually(2, () -> consumer.getBean(DiscoveryClient.class).getInstances(name).size());
        equal(Set.of("near"), called(consumer, name));
        near.close();
        eventually(Set.of("far"), () -> called(consumer, name));
        close(consumer, far);
    }

    /** A tenth of the calls go where the weight is a tenth. */
    private void weights() throws Exception {
        String name = unique("weighted");
        var light = provider(name, "light", WEIGHT + "1");
        var heavy = provider(name, "heavy", WEIGHT + "9");
        var consumer = consumer("weights", NACOS_BALANCER);
        eventually(2, () -> consumer.getBean(DiscoveryClient.class).getInstances(name).size());
        int calls = 200;
        int toLight = 0;
        RestClient client = consumer.getBean(RestClient.Builder.class).build();
        for (int call = 0; call < calls; call++) {
            toLight += who(client, name).equals("light") ? 1 : 0;
        }
        // Expected are 20; with no regard for weights it would be 100.
        holds(toLight > 0 && toLight < 50, toLight + " of " + calls + " calls went to a tenth of the weight");
        close(consumer, light, heavy);
    }

    private void namespace() throws Exception {
        String name = unique("spaced");
        var blue = provider(name, "blue", NAMESPACE + "blue");
        var inside = consumer("inside", NAMESPACE + "blue");
        var outside = consumer("outside");
        eventually(Set.of("blue"), () -> called(inside, name));
        equal(0, outside.getBean(DiscoveryClient.class).getInstances(name).size());
        close(inside, outside, blue);
    }

    private ConfigurableApplicationContext provider(String name, String who, String... settings) {
        String[] all = java.util.Arrays.copyOf(settings, settings.length + 1);
        all[settings.length] = "who=" + who;
        return Application.web(address, name, Provider.class, all);
    }

    private ConfigurableApplicationContext consumer(String name, String... settings) {
        return Application.web(address, unique(name), Consumer.class, settings);
    }

    /** Who answers a few calls in a row. */
    private static Set<String> called(ConfigurableApplicationContext consumer, String name) {
        RestClient client = consumer.getBean(RestClient.Builder.class).build();
        Set<String> seen = new TreeSet<>();
        for (int round = 0; round < 6; round++) {
            seen.add(who(client, name));
        }
        return seen;
    }

    private static String who(RestClient client, String name) {
        return client.get().uri("http://" + name + "/who").retrieve().body(String.class);
    }

    private static void close(ConfigurableApplicationContext... contexts) {
        for (ConfigurableApplicationContext context : contexts) {
            context.close();
        }
    }
}
