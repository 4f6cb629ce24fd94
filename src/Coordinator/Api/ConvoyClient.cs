using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Api;

/// <summary>The HTTP API as methods. Every failure is a <see cref="UserException"/> that names the address.</summary>
public sealed class ConvoyClient : IDisposable
{
    private delegate ValueTask<Stream> Dial(SocketsHttpConnectionContext to, CancellationToken cancel);

    private readonly HttpClient _http;

    /// <summary>Plain: a coordinator on this machine.</summary>
    public ConvoyClient(string address, TimeSpan? timeout = null) : this(address, dial: null, timeout)
    {
    }

    /// <summary>Over TLS, as the holder of a certificate; the other end must show a coordinator's.</summary>
    public ConvoyClient(string address, CredentialSource credentials, TimeSpan? timeout = null)
        : this(address, async (to, cancel) => await TlsClient.DialAsync(
            to.DnsEndPoint.Host, to.DnsEndPoint.Port, credentials.Current, credentials.Current.Trusted,
            credentials.Time.GetUtcNow(), cancel), timeout)
    {
    }

    // The connection is encrypted below HTTP, where certificates are judged by the cluster's rules: hence plain URIs.
    private ConvoyClient(string address, Dial? dial, TimeSpan? timeout)
    {
        Address = address;
        if (!Uri.TryCreate($"http://{address}/", UriKind.Absolute, out var uri) || uri.Port <= 0)
            throw new UserException(ExitCode.Usage, $"'{address}' is not HOST:PORT");
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (dial is not null) handler.ConnectCallback = (to, cancel) => dial(to, cancel);
        _http = new HttpClient(handler)
        {
            BaseAddress = uri,
            Timeout = timeout ?? TimeSpan.FromSeconds(10),
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public string Address { get; }

    /// <summary>Name or id of the job that status, steps, stop and scale are about; null: the only one.</summary>
    public string? Job { get; set; }

    /// <summary>Over TLS without a certificate of its own, which allows nothing but to ask for one.</summary>
    /// <param name="address">host:port.</param>
    /// <param name="trusted">Authorities to believe; null: whoever answers.</param>
    /// <param name="time">The time to judge certificates by.</param>
    public static ConvoyClient OfStranger(string address, IReadOnlyList<X509Certificate2>? trusted,
        TimeProvider time) =>
        new(address, async (to, cancel) => await TlsClient.DialAsync(
            to.DnsEndPoint.Host, to.DnsEndPoint.Port, null, trusted, time.GetUtcNow(), cancel), timeout: null);

    /// <summary>The coordinator of a state folder.</summary>
    public static ConvoyClient OfState(string stateDirectory) => new(EndpointFile.Read(stateDirectory).Address);

    public Task<SubmitReply> SubmitAsync(SubmitRequest request, CancellationToken cancel = default) =>
        PostAsync<SubmitRequest, SubmitReply>("api/jobs", request, cancel);

    public Task<StatusReport> StatusAsync(CancellationToken cancel = default) =>
        GetAsync<StatusReport>(Job is null ? "api/status" : $"api/status?job={Uri.EscapeDataString(Job)}", cancel);

    public Task<StepsPage> StepsAsync(long from, CancellationToken cancel = default) =>
        GetAsync<StepsPage>(FormattableString.Invariant($"api/steps?from={from}")
            + (Job is null ? "" : $"&job={Uri.EscapeDataString(Job)}"), cancel);

    public Task<Accepted> StopAsync(StopRequest request, CancellationToken cancel = default) =>
        PostAsync<StopRequest, Accepted>("api/stop", request with { Job = request.Job ?? Job }, cancel);

    public Task<Accepted> ScaleAsync(int workers, CancellationToken cancel = default) =>
        PostAsync<ScaleRequest, Accepted>("api/scale", new ScaleRequest { Workers = workers, Job = Job }, cancel);

    public Task<TokenReply> CreateTokenAsync(TokenRequest request, CancellationToken cancel = default) =>
        PostAsync<TokenRequest, TokenReply>("api/tokens", request, cancel);

    public Task<TrustReply> TrustAsync(CancellationToken cancel = default) => GetAsync<TrustReply>("api/trust", cancel);

    public Task<CertificateReply> JoinAsync(JoinRequest request, CancellationToken cancel = default) =>
        PostAsync<JoinRequest, CertificateReply>("api/join", request, cancel);

    public Task<CertificateReply> RenewAsync(RenewRequest request, CancellationToken cancel = default) =>
        PostAsync<RenewRequest, CertificateReply>("api/renew", request, cancel);

    public void Dispose() => _http.Dispose();

    private Task<TReply> GetAsync<TReply>(string path, CancellationToken cancel) =>
        CallAsync<TReply>(() => _http.GetAsync(path, cancel), cancel);

    private Task<TReply> PostAsync<TRequest, TReply>(string path, TRequest body, CancellationToken cancel) =>
        CallAsync<TReply>(() => _http.PostAsJsonAsync(path, body, ApiJson.Options, cancel), cancel);

    private async Task<TReply> CallAsync<TReply>(Func<Task<HttpResponseMessage>> call, CancellationToken cancel)
    {
        try
        {
            using var response = await call();
            if (!response.IsSuccessStatusCode) throw await RefusalAsync(response, cancel);
            return await response.Content.ReadFromJsonAsync<TReply>(ApiJson.Options, cancel)
                ?? throw Unreadable("an empty answer");
        }
        catch (HttpRequestException e) when (e.InnerException is UserException refused)
        {
            throw refused;
        }
        catch (HttpRequestException e)
        {
            throw new UserException(ExitCode.Cluster,
                $"no coordinator answers at {Address} ({e.Message}): is it running, and is the address right?");
        }
        catch (JsonException e)
        {
            throw Unreadable(e.Message);
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UserException(ExitCode.Cluster,
                $"the coordinator at {Address} did not answer within {_http.Timeout.TotalSeconds:0} s");
        }
    }

    private async Task<UserException> RefusalAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var text = await response.Content.ReadAsStringAsync(cancel);
        try
        {
            if (JsonSerializer.Deserialize<ErrorReply>(text, ApiJson.Options) is { } reply)
                return new UserException((ExitCode)reply.ExitCode, reply.Error);
        }
        catch (JsonException)
        {
            // Somebody else than a coordinator answers: the status line below is all we can say.
        }

        return Unreadable($"HTTP {(int)response.StatusCode}");
    }

    private UserException Unreadable(string what) =>
        new(ExitCode.Cluster, $"{Address} does not answer like a coordinator of this version: {what}");
}
