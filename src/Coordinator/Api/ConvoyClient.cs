using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Api;

/// <summary>The HTTP API as methods. Every failure is a <see cref="UserException"/> that names the address.</summary>
public sealed class ConvoyClient : IDisposable
{
    private delegate ValueTask<Stream> Dial(SocketsHttpConnectionContext to, CancellationToken cancel);

    /// <summary>With several addresses: how long a leader is looked for; a take-over ends sooner.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly List<HttpClient> _places = []; // one for each address; the one that answered last comes first

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
        const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (var place in address.Split(',', Clean))
            _places.Add(ClientOf(place, dial, timeout));
        if (_places.Count == 0) throw new UserException(ExitCode.Usage, $"'{address}' is not HOST:PORT");
    }

    private static HttpClient ClientOf(string address, Dial? dial, TimeSpan? timeout)
    {
        if (!Uri.TryCreate($"http://{address}/", UriKind.Absolute, out var uri) || uri.Port <= 0)
            throw new UserException(ExitCode.Usage, $"'{address}' is not HOST:PORT");
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (dial is not null) handler.ConnectCallback = (to, cancel) => dial(to, cancel);
        var http = new HttpClient(handler) { BaseAddress = uri, Timeout = timeout ?? TimeSpan.FromSeconds(10) };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return http;
    }

    /// <summary>host:port, or several with commas.</summary>
    public string Address { get; }

    /// <summary>Name or id of the job that most questions and commands are about; null: the only one.</summary>
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
        PostAsync<SubmitRequest, SubmitReply>("api/jobs", request with { Command = NewCommand() }, cancel);

    /// <summary>Of the leader, where one is found; else of a coordinator that stands by.</summary>
    public Task<StatusReport> StatusAsync(CancellationToken cancel = default) =>
        GetAsync<StatusReport>(Job is null ? "api/status" : $"api/status?job={Uri.EscapeDataString(Job)}", cancel,
            s => s.Membership == StatusReport.StandbyState);

    public Task<StepsPage> StepsAsync(long from, CancellationToken cancel = default) =>
        GetAsync<StepsPage>(FormattableString.Invariant($"api/steps?from={from}")
            + (Job is null ? "" : $"&job={Uri.EscapeDataString(Job)}"), cancel);

    public Task<Accepted> StopAsync(StopRequest request, CancellationToken cancel = default) =>
        PostAsync<StopRequest, Accepted>("api/stop", request with { Job = request.Job ?? Job, Command = NewCommand() },
            cancel);

    public Task<Accepted> ScaleAsync(int workers, CancellationToken cancel = default) =>
        PostAsync<ScaleRequest, Accepted>("api/scale", new ScaleRequest
        { Workers = workers, Job = Job, Command = NewCommand() }, cancel);

    /// <summary>Begins or ends to measure what each operator of a step takes (MON-07).</summary>
    public Task<Accepted> ProfileAsync(bool on, CancellationToken cancel = default) =>
        PostAsync<ProfileRequest, Accepted>("api/profile", new ProfileRequest { On = on, Job = Job }, cancel);

    public Task<TokenReply> CreateTokenAsync(TokenRequest request, CancellationToken cancel = default) =>
        PostAsync<TokenRequest, TokenReply>("api/tokens", request, cancel);

    public Task<TrustReply> TrustAsync(CancellationToken cancel = default) => GetAsync<TrustReply>("api/trust", cancel);

    public Task<CertificateReply> JoinAsync(JoinRequest request, CancellationToken cancel = default) =>
        PostAsync<JoinRequest, CertificateReply>("api/join", request, cancel);

    public Task<CertificateReply> RenewAsync(RenewRequest request, CancellationToken cancel = default) =>
        PostAsync<RenewRequest, CertificateReply>("api/renew", request, cancel);

    public void Dispose()
    {
        foreach (var place in _places) place.Dispose();
    }

    /// <summary>The same for each attempt, so that a command that was taken has its effect once (L6).</summary>
    private static string NewCommand() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private Task<TReply> GetAsync<TReply>(string path, CancellationToken cancel,
        Func<TReply, bool>? isStandby = null) =>
        CallAsync(http => http.GetAsync(path, cancel), isStandby, cancel);

    private Task<TReply> PostAsync<TRequest, TReply>(string path, TRequest body, CancellationToken cancel) =>
        CallAsync<TReply>(http => http.PostAsJsonAsync(path, body, ApiJson.Options, cancel), null, cancel);

    /// <summary>One address is asked once; several in turn, until one of them leads.</summary>
    private async Task<TReply> CallAsync<TReply>(Func<HttpClient, Task<HttpResponseMessage>> call,
        Func<TReply, bool>? isStandby, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var pace = new PeriodicTimer(Pace);
        for (var left = _places.Count; ;)
        {
            var mayRetry = _places.Count > 1 && TimeProvider.System.GetElapsedTime(started) < Patience;
            try
            {
                var reply = await AskAsync<TReply>(call, _places[0], cancel);
                if (isStandby?.Invoke(reply) != true || --left <= 0) return reply;
            }
            catch (StandbyRefusal standby)
            {
                if (!mayRetry) throw new UserException(ExitCode.Cluster, $"{_places[0].BaseAddress!.Authority}: {standby.Message}");
            }
            catch (UnreachableException nobody)
            {
                if (!mayRetry) throw new UserException(ExitCode.Cluster, nobody.Message);
            }

            _places.Add(_places[0]);
            _places.RemoveAt(0);
            await pace.WaitForNextTickAsync(cancel);
        }
    }

    private static async Task<TReply> AskAsync<TReply>(Func<HttpClient, Task<HttpResponseMessage>> call,
        HttpClient http, CancellationToken cancel)
    {
        var address = http.BaseAddress!.Authority;
        try
        {
            using var response = await call(http);
            if (!response.IsSuccessStatusCode) throw await RefusalAsync(response, address, cancel);
            return await response.Content.ReadFromJsonAsync<TReply>(ApiJson.Options, cancel)
                ?? throw Unreadable(address, "an empty answer");
        }
        catch (HttpRequestException e) when (e.InnerException is UserException refused)
        {
            throw refused;
        }
        catch (HttpRequestException e)
        {
            throw new UnreachableException($"no coordinator answers at {address} ({e.Message}): is it running, and is the address right?");
        }
        catch (JsonException e)
        {
            throw Unreadable(address, e.Message);
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UnreachableException(
                $"the coordinator at {address} did not answer within {http.Timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Nobody there: the next one may lead by now.</summary>
    private sealed class UnreachableException(string text) : Exception(text);

    private static async Task<Exception> RefusalAsync(HttpResponseMessage response, string address,
        CancellationToken cancel)
    {
        var text = await response.Content.ReadAsStringAsync(cancel);
        try
        {
            if (JsonSerializer.Deserialize<ErrorReply>(text, ApiJson.Options) is { } reply)
                return reply.Standby ? new StandbyRefusal(reply.Error)
                    : new UserException((ExitCode)reply.ExitCode, reply.Error);
        }
        catch (JsonException)
        {
            // Somebody else than a coordinator answers: the status line below is all we can say.
        }

        return Unreadable(address, $"HTTP {(int)response.StatusCode}");
    }

    private static UserException Unreadable(string address, string what) =>
        new(ExitCode.Cluster, $"{address} does not answer like a coordinator of this version: {what}");
}
