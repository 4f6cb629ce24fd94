namespace Convoy.Cli.Tests.Security;

public sealed class CredentialCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-credentials-").FullName;

    private string Credentials => Path.Combine(_folder, "credentials");

    [Fact]
    public async Task Init_says_what_to_copy_where_and_never_overwrites()
    {
        var first = await CliRun.Of("init", "--credentials", Credentials, "--host", "train.example.org", "--json");
        Assert.Equal(0, first.Code);
        Assert.Contains("copy this folder", first.Error, StringComparison.Ordinal);
        Assert.Equal(Credentials, first.Json.GetProperty("credentials").GetString());
        var again = await CliRun.Of("init", "--credentials", Credentials);
        again.IsOneLine(2);
        Assert.Contains("init changes nothing", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificates_are_shown_renewed_and_rolled()
    {
        await CliRun.Of("init", "--dir", Credentials, "--days", "30");
        var shown = await CliRun.Of("cert", "show", "--credentials", Credentials, "--json");
        Assert.Equal(0, shown.Code);
        var before = Serials(shown);
        Assert.Equal(2, before.Count);
        Assert.Contains("(30 days)", shown.Error, StringComparison.Ordinal);

        Assert.Equal(0, (await CliRun.Of("cert", "renew", "--credentials", Credentials)).Code);
        Assert.Empty(
            before.Intersect(Serials(await CliRun.Of("cert", "show", "--credentials", Credentials, "--json"))));

        (await CliRun.Of("cert", "roll", "--switch", "--credentials", Credentials)).IsOneLine(6);
        (await CliRun.Of("cert", "roll", "--credentials", Credentials)).IsOneLine(2);
        foreach (var (step, authorities) in ((string, int)[])[("--begin", 2), ("--switch", 2), ("--finish", 1)])
        {
            var rolled = await CliRun.Of("cert", "roll", step, "--credentials", Credentials, "--json");
            Assert.Equal(0, rolled.Code);
            Assert.Equal(authorities, rolled.Json.GetProperty("authorities").GetArrayLength());
        }
    }

    // Each a clear line with its exit code, before anything is bound, dialled or written.
    [Theory]
    [InlineData(6, "convoy init", "coordinator", "--listen", "192.0.2.1:0")]
    [InlineData(6, "convoy init", "coordinator", "--listen", "0.0.0.0:0")]
    [InlineData(6, "convoy init", "coordinator", "--listen", "127.0.0.1:0", "--tls")]
    [InlineData(6, "--token TOKEN", "worker", "--join", "192.0.2.1:7070")]
    [InlineData(2, "is not a join token", "worker", "--join", "192.0.2.1:7070", "--token", "cvy1_abc")]
    [InlineData(6, "there is no credential", "status", "--to", "192.0.2.1:7070")]
    [InlineData(6, "there is no credential", "token", "create", "--to", "127.0.0.1:7070", "--tls")]
    [InlineData(2, "is not a time", "token", "create", "--to", "127.0.0.1:7070", "--ttl", "soon")]
    [InlineData(2, "no credential", "cert", "show")]
    [InlineData(2, "--to HOST:PORT", "cert", "renew")]
    [InlineData(6, "--token", "worker", "--join", "127.0.0.1:7070", "--listen", "192.0.2.1:0")]
    public async Task What_needs_a_credential_says_so(int code, string says, params string[] words)
    {
        var state = Path.Combine(_folder, "state");
        string[] more = words[0] == "coordinator" ? ["--state", state] : [];
        var run = await CliRun.Of([.. words, "--credentials", Credentials, .. more]);
        run.IsOneLine(code);
        Assert.Contains(says, run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Credentials));
    }

    private static List<string> Serials(CliRun run) =>
        [.. run.Json.GetProperty("certificates").EnumerateArray().Select(c => c.GetProperty("serial").GetString()!)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
