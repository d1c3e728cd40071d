package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;

import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.config.listener.Listener;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;

/** Publishing, reading and listening; one client writes, another reads. */
final class ConfigScenario {
    private static final String GROUP = "DEFAULT_GROUP";
    private static final long TIMEOUT = 5_000;
    /** The 1.x client starts to poll for a new key only when its present poll of 30 s has ended. */
    private static final Duration POLL = Duration.ofSeconds(40);

    private final Checks checks;
    private final ConfigService writer;
    private final ConfigService reader;

    ConfigScenario(Checks checks, ConfigService writer, ConfigService reader) {
        this.checks = checks;
        this.writer = writer;
        this.reader = reader;
    }

    /** Keeps the newest content it was told. */
    static final class Latest implements Listener {
        final AtomicReference<String> content = new AtomicReference<>("nothing");

        @Override
        public Executor getExecutor() {
            return null;
        }

        @Override
        public void receiveConfigInfo(String told) {
            content.set(told);
        }
    }

    void run() {
        checks.check("publish", () -> equal(true, writer.publishConfig(Main.unique("publish"), GROUP, "a: 1", "yaml")));
        checks.check("get", this::get);
        checks.check("missing", () -> equal(null, reader.getConfig(Main.unique("missing"), GROUP, TIMEOUT)));
        checks.check("listen", this::listen);
        checks.check("unlisten", this::unlisten);
        cas();
        checks.check("remove", this::remove);
        checks.check("large", this::large);
        checks.check("chinese", this::chinese);
        checks.check("names", this::names);
    }

    private void get() throws Exception {
        String id = Main.unique("get");
        for (String content : new String[] {"one", "two", "a=1\r\nb = %2B+&\n\u0001\u0002"}) {
            equal(true, writer.publishConfig(id, GROUP, content));
            // What was answered can be read at once.
            equal(content, reader.getConfig(id, GROUP, TIMEOUT));
        }
    }

    private void listen() throws Exception {
        String id = Main.unique("listen");
        Latest before = new Latest();
        reader.addListener(id, GROUP, before);
        for (String content : new String[] {"created", "changed", "changed again", "created"}) {
            equal(true, writer.publishConfig(id, GROUP, content));
            eventually(content, before.content::get);
        }
        equal(true, writer.removeConfig(id, GROUP));
        eventually(null, before.content::get);
    }

    private void unlisten() throws Exception {
        String id = Main.unique("unlisten");
        Latest listener = new Latest();
        reader.addListener(id, GROUP, listener);
        equal(true, writer.publishConfig(id, GROUP, "heard"));
        eventually(POLL, "heard", listener.content::get);
        reader.removeListener(id, GROUP, listener);
        equal(true, writer.publishConfig(id, GROUP, "unheard"));
        Thread.sleep(1_500);
        equal("heard", listener.content.get());
    }

    /** Since 2.0; looked up by name so that one program fits every line of the client. */
    private void cas() {
        Method publish;
        try {
            publish = ConfigService.class.getMethod(
                "publishConfigCas", String.class, String.class, String.class, String.class);
        } catch (NoSuchMethodException absent) {
            checks.notApplicable("cas", "added in 2.0");
            return;
        }
        checks.check("cas", () -> {
            String id = Main.unique("cas");
            equal(true, writer.publishConfig(id, GROUP, "first"));
            equal(true, publish.invoke(writer, id, GROUP, "second", md5("first")));
            equal("second", reader.getConfig(id, GROUP, TIMEOUT));
            boolean taken;
            try {
                taken = (boolean) publish.invoke(writer, id, GROUP, "third", md5("first"));
            } catch (InvocationTargetException refused) {
                taken = false;
            }
            equal(false, taken);
            equal("second", reader.getConfig(id, GROUP, TIMEOUT));
        });
    }

    private void remove() throws Exception {
        String id = Main.unique("remove");
        equal(true, writer.publishConfig(id, GROUP, "here"));
        equal("here", reader.getConfig(id, GROUP, TIMEOUT));
        equal(true, writer.removeConfig(id, GROUP));
        equal(null, reader.getConfig(id, GROUP, TIMEOUT));
        equal(true, writer.removeConfig(id, GROUP));
    }

    private void large() throws Exception {
        String id = Main.unique("large");
        String content = "0123456789abcde\n".repeat(1 << 16);
        Latest listener = new Latest();
        reader.addListener(id, GROUP, listener);
        equal(true, writer.publishConfig(id, GROUP, content));
        equal(content, reader.getConfig(id, GROUP, TIMEOUT));
        eventually(POLL, content, listener.content::get);
    }

    private void chinese() throws Exception {
        String id = Main.unique("chinese");
        String content = "名称: 订单服务\n备注: 中文、ÄÖÜ、🚀\n";
        equal(true, writer.publishConfig(id, GROUP, content, "yaml"));
        equal(content, reader.getConfig(id, GROUP, TIMEOUT));
    }

    private void names() throws Exception {
        for (String name : new String[] {"a.b_c-d:e", "UPPER.lower_0:1-2", "x::y..z--"}) {
            String id = Main.unique(name);
            equal(true, writer.publishConfig(id, "g.r_o-u:p", name));
            equal(name, reader.getConfig(id, "g.r_o-u:p", TIMEOUT));
            equal(null, reader.getConfig(id, GROUP, TIMEOUT));
        }
    }

    private static String md5(String text) throws Exception {
        byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
        return String.format("%032x", new BigInteger(1, digest));
    }
}
