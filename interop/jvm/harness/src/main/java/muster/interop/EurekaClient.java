package muster.interop;

import java.util.List;

/** A started client under test: registered under a name of its own, and fetching. */
public interface EurekaClient extends AutoCloseable {
    /** Seconds between two renewals; leases last three times as long. */
    int RENEWAL_SECONDS = 3;

    /** Seconds between two fetches. */
    int FETCH_SECONDS = 1;

    /** Its instance id. */
    String id();

    /** The instances of an application that this client would call, as {@code PORT COLOUR}, sorted. */
    List<String> shown(String app) throws Exception;

    /** Leaves as an application does that ends. */
    @Override
    void close() throws Exception;

    /** Starts one that registers as {@code name} with the metadata {@code colour=green}. */
    interface Starter {
        EurekaClient start(String address, String name) throws Exception;
    }
}
