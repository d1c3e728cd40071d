package muster.interop;

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

/** The server as an operator with a plain HTTP client sees and changes it, past the client under test. */
public final class EurekaServer {
    private final HttpClient http = HttpClient.newHttpClient();
    private final String base;

    /** Takes {@code HOST:PORT}. */
    public EurekaServer(String address) {
        base = "http://" + address + "/eureka/apps";
    }

    /** An instance as the item endpoint shows it. */
    public record Shown(String status, long renewedMillis, String port, String colour) {}

    /** Registers an instance that nobody renews; its lease outlives every scenario. */
    public void register(String app, String id, int port, String colour) throws Exception {
        String body = """
                {"instance": {"instanceId": "%s", "hostName": "127.0.0.1", "app": "%s", "ipAddr": "127.0.0.1", "status": "UP",
                 "port": {"$": %d, "@enabled": "true"}, "vipAddress": "%s", "secureVipAddress": "%s",
                 "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 600},
                 "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
                 "metadata": {"colour": "%s"}}}""".formatted(id, app.toUpperCase(), port, app, app, colour);
        HttpRequest.Builder request = request("/" + app.toUpperCase());
        request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
        Checks.equal(204, send(request).statusCode());
    }

    /** What the item endpoint shows, if it knows the instance. */
    public Optional<Shown> instance(String app, String id) throws Exception {
        HttpResponse<byte[]> answer = send(request("/" + app.toUpperCase() + "/" + id).header("Accept", "application/xml"));
        if (answer.statusCode() == 404) {
            return Optional.empty();
        }
        Checks.equal(200, answer.statusCode());
        Document xml = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(answer.body()));
        long renewed = Long.parseLong(text(xml, "lastRenewalTimestamp"));
        return Optional.of(new Shown(text(xml, "status"), renewed, text(xml, "port"), text(xml, "colour")));
    }

    public String status(String app, String id) throws Exception {
        return instance(app, id).map(Shown::status).orElse("absent");
    }

    /** Takes an instance out of the registry behind its client's back, or for it. */
    public void remove(String app, String id) throws Exception {
        Checks.equal(200, send(request("/" + app.toUpperCase() + "/" + id).DELETE()).statusCode());
    }

    public void override(String app, String id, String status) throws Exception {
        String target = "/" + app.toUpperCase() + "/" + id + "/status?value=" + status;
        Checks.equal(200, send(request(target).PUT(BodyPublishers.noBody())).statusCode());
    }

    public void clearOverride(String app, String id) throws Exception {
        Checks.equal(200, send(request("/" + app.toUpperCase() + "/" + id + "/status").DELETE()).statusCode());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path));
    }

    private HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static String text(Document xml, String name) {
        var found = xml.getElementsByTagName(name);
        return found.getLength() == 0 ? "" : found.item(0).getTextContent();
    }
}
