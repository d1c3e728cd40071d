package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;

import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/** Registration, discovery and subscription; one client registers, another looks. */
final class NamingScenario {
    private static final String GROUP = "DEFAULT_GROUP";

    private final Checks checks;
    private final NamingService provider;
    private final NamingService consumer;

    NamingScenario(Checks checks, NamingService provider, NamingService consumer) {
        this.checks = checks;
        this.provider = provider;
        this.consumer = consumer;
    }

    void run() {
        checks.check("register", this::register);
        batch();
        checks.check("clusters", this::clusters);
        checks.check("groups", this::groups);
        checks.check("disabled", this::disabled);
        checks.check("persistent", this::persistent);
        checks.check("subscribe", this::subscribe);
        checks.check("unsubscribe", this::unsubscribe);
        checks.check("deregister", this::deregister);
        checks.check("names", this::names);
        checks.check("list", this::list);
    }

    private void register() throws Exception {
        String service = Main.unique("register");
        Instance instance = instance("10.1.0.1", 8001);
        instance.setWeight(2.5);
        instance.setMetadata(Map.of("version", "1.0", "zone", "甲"));
        instance.setClusterName("EAST");
        provider.registerInstance(service, GROUP, instance);
        eventually("[10.1.0.1:8001]", () -> addresses(service, GROUP));
        Instance seen = consumer.getAllInstances(service, GROUP, false).get(0);
        equal(2.5, seen.getWeight());
        equal("EAST", seen.getClusterName());
        equal("1.0", seen.getMetadata().get("version"));
        equal("甲", seen.getMetadata().get("zone"));
        equal(true, seen.isHealthy());
        equal(true, seen.isEnabled());
        equal(true, seen.isEphemeral());
    }

    /** Since 2.1; looked up by name so that one program fits every line of the client. */
    private void batch() {
        Method register;
        try {
            register = NamingService.class.getMethod("batchRegisterInstance", String.class, String.class, List.class);
        } catch (NoSuchMethodException absent) {
            checks.notApplicable("batch", "added in 2.1");
            return;
        }
        checks.check("batch", () -> {
            String service = Main.unique("batch");
            List<Instance> three = List.of(instance("10.1.1.1", 1), instance("10.1.1.2", 2), instance("10.1.1.3", 3));
            try {
                register.invoke(provider, service, GROUP, three);
            } catch (InvocationTargetException problem) {
                throw new IllegalStateException(problem.getCause());
            }
            eventually("[10.1.1.1:1, 10.1.1.2:2, 10.1.1.3:3]", () -> addresses(service, GROUP));
        });
    }

    private void clusters() throws Exception {
        String service = Main.unique("clusters");
        provider.registerInstance(service, GROUP, "10.1.2.1", 1, "A");
        consumer.registerInstance(service, GROUP, "10.1.2.2", 2, "B");
        eventually("[10.1.2.1:1, 10.1.2.2:2]", () -> addresses(service, GROUP));
        eventually("[10.1.2.1:1]", () -> show(consumer.getAllInstances(service, GROUP, List.of("A"), false)));
        eventually("[10.1.2.2:2]", () -> show(consumer.getAllInstances(service, GROUP, List.of("B"), false)));
    }

    private void groups() throws Exception {
        String service = Main.unique("groups");
        provider.registerInstance(service, "blue", "10.1.3.1", 1);
        provider.registerInstance(service, "green", "10.1.3.2", 2);
        eventually("[10.1.3.1:1]", () -> addresses(service, "blue"));
        eventually("[10.1.3.2:2]", () -> addresses(service, "green"));
        equal("[]", addresses(service, GROUP));
    }

    private void disabled() throws Exception {
        String service = Main.unique("disabled");
        Instance off = instance("10.1.4.1", 1);
        off.setEnabled(false);
        provider.registerInstance(service, GROUP, off);
        consumer.registerInstance(service, GROUP, "10.1.4.2", 2);
        eventually("[10.1.4.2:2]", () -> show(consumer.selectInstances(service, GROUP, true, false)));
    }

    private void persistent() throws Exception {
        String service = Main.unique("persistent");
        Instance instance = instance("10.1.5.1", 1);
        instance.setEphemeral(false);
        provider.registerInstance(service, GROUP, instance);
        eventually("[10.1.5.1:1]", () -> addresses(service, GROUP));
        equal(false, consumer.getAllInstances(service, GROUP, false).get(0).isEphemeral());
        provider.deregisterInstance(service, GROUP, instance);
        eventually("[]", () -> addresses(service, GROUP));
    }

    private void subscribe() throws Exception {
        String service = Main.unique("subscribe");
        AtomicReference<String> told = new AtomicReference<>("nothing");
        consumer.subscribe(service, GROUP, event -> told.set(show(((NamingEvent) event).getInstances())));
        Instance instance = instance("10.1.6.1", 1);
        provider.registerInstance(service, GROUP, instance);
        eventually("[10.1.6.1:1]", told::get);
        instance.setMetadata(Map.of("colour", "red"));
        provider.registerInstance(service, GROUP, instance);
        eventually("[10.1.6.1:1 red]", told::get);
        consumer.registerInstance(service, GROUP, "10.1.6.2", 2);
        eventually("[10.1.6.1:1 red, 10.1.6.2:2]", told::get);
        provider.deregisterInstance(service, GROUP, instance);
        eventually("[10.1.6.2:2]", told::get);
    }

    private void unsubscribe() throws Exception {
        String service = Main.unique("unsubscribe");
        AtomicInteger calls = new AtomicInteger();
        EventListener listener = event -> calls.incrementAndGet();
        consumer.subscribe(service, GROUP, listener);
        provider.registerInstance(service, GROUP, "10.1.7.1", 1);
        eventually(true, () -> calls.get() > 0);
        consumer.unsubscribe(service, GROUP, listener);
        provider.deregisterInstance(service, GROUP, "10.1.7.1", 1);
        eventually("[]", () -> addresses(service, GROUP));
        Thread.sleep(1_000);
        int before = calls.get();
        provider.registerInstance(service, GROUP, "10.1.7.2", 2);
        eventually("[10.1.7.2:2]", () -> addresses(service, GROUP));
        Thread.sleep(1_500);
        equal(before, calls.get());
    }

    private void deregister() throws Exception {
        String service = Main.unique("deregister");
        provider.registerInstance(service, GROUP, "10.1.8.1", 1);
        consumer.registerInstance(service, GROUP, "10.1.8.2", 2);
        eventually("[10.1.8.1:1, 10.1.8.2:2]", () -> addresses(service, GROUP));
        provider.deregisterInstance(service, GROUP, "10.1.8.1", 1);
        eventually("[10.1.8.2:2]", () -> addresses(service, GROUP));
    }

    private void names() throws Exception {
        for (String name : Arrays.asList("com.acme:orders:1.0:", "a+b%2F&d=e#f?g", "providers:x.Y::", "Größe-ñ")) {
            String service = Main.unique(name);
            provider.registerInstance(service, "g.r_o-u:p", "10.1.9.1", 1);
            eventually("[10.1.9.1:1]", () -> addresses(service, "g.r_o-u:p"));
        }
    }

    private void list() throws Exception {
        String group = Main.unique("list");
        provider.registerInstance("one", group, "10.1.10.1", 1);
        provider.registerInstance("two", group, "10.1.10.1", 1);
        eventually("[one, two]", () -> new TreeSet<>(consumer.getServicesOfServer(1, 10, group).getData()).toString());
        equal(2, consumer.getServicesOfServer(1, 1, group).getCount());
    }

    private String addresses(String service, String group) throws Exception {
        return show(consumer.getAllInstances(service, group, false));
    }

    private static String show(List<Instance> instances) {
        return instances.stream()
            .map(instance -> {
                String colour = instance.getMetadata().getOrDefault("colour", "");
                return (instance.getIp() + ":" + instance.getPort() + " " + colour).trim();
            })
            .sorted()
            .collect(Collectors.joining(", ", "[", "]"));
    }

    private static Instance instance(String ip, int port) {
        Instance instance = new Instance();
        instance.setIp(ip);
        instance.setPort(port);
        return instance;
    }
}
