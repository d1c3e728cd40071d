package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Driver.readyAndWait;

import java.util.List;
import java.util.Map;

/** One half of a pair: a provider and a consumer of one registry's starter that meet those of the other's. */
public final class MixedScenario {
    private MixedScenario() {}

    /** What a starter's consumer can do. */
    public interface Consumer {
        /** What a provider of this name answers. */
        String who(String name);

        /** The metadata of the instances this consumer would call. */
        List<Map<String, String>> metadata(String name);
    }

    /** {@code own} is registered with the metadata {@code colour}; {@code other} is what the other half registers. */
    public static void run(Checks checks, String own, String other, AutoCloseable provider, Consumer consumer) throws Exception {
        checks.check("own", () -> eventually(own, () -> consumer.who(own)));
        checks.check("other", () -> eventually(other, () -> consumer.who(other)));
        checks.check("metadata", () -> {
            List<Map<String, String>> shown = consumer.metadata(other);
            equal(1, shown.size());
            equal("of " + other, shown.get(0).get("colour"));
        });
        // Both halves have called; now both providers leave.
        readyAndWait();
        checks.check("left", () -> {
            provider.close();
            eventually(0, () -> consumer.metadata(other).size());
        });
        readyAndWait();
    }
}
