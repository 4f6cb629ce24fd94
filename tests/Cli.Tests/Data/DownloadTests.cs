using System.Net;
using System.Security.Cryptography;
using Convoy.Cli.Data;
using Convoy.Shared;

namespace Convoy.Cli.Tests.Data;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31))];
    private static readonly CatalogueFile File1 =
        new("file", "http://example.invalid/file", Content.Length, Hash(Content));

    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-data-").FullName;
    private readonly FakeServer _server = new();

    private sealed class FakeServer : HttpMessageHandler
    {
        public byte[] Serves { get; set; } = Content;
        public bool Offline { get; set; }
        public bool IgnoresRange { get; set; }
        public long? AskedFrom { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
            CancellationToken cancellationToken)
        {
            if (Offline) throw new HttpRequestException("no such host");
            AskedFrom = request.Headers.Range?.Ranges.Single().From;
            var from = IgnoresRange ? 0 : (int)(AskedFrom ?? 0);
            var status = from > 0 ? HttpStatusCode.PartialContent : HttpStatusCode.OK;
            return Task.FromResult(new HttpResponseMessage(status) { Content = new ByteArrayContent(Serves[from..]) });
        }
    }

    private Task<bool> GetAsync(CatalogueFile file) =>
        new Download(new HttpClient(_server, disposeHandler: false), _folder).GetAsync(file, CancellationToken.None);

    [Fact]
    public async Task FetchesOnceAndKeepsWhatIsRight()
    {
        Assert.True(await GetAsync(File1));
        Assert.Equal(Content, File.ReadAllBytes(PathOf("file")));
        _server.Offline = true;
        Assert.False(await GetAsync(File1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GoesOnWhereItEnded(bool ignoresRange)
    {
        File.WriteAllBytes(PathOf("file.part"), Content[..40_000]);
        _server.IgnoresRange = ignoresRange;

        Assert.True(await GetAsync(File1));

        Assert.Equal(40_000, _server.AskedFrom);
        Assert.Equal(Content, File.ReadAllBytes(PathOf("file")));
        Assert.False(File.Exists(PathOf("file.part")));
    }

    [Fact]
    public async Task ChangedSourceIsRefused()
    {
        _server.Serves = [.. Content.Reverse()];
        var refused = await Assert.ThrowsAsync<UserException>(() => GetAsync(File1));
        Assert.Equal(ExitCode.BadData, refused.Code);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task WithoutANetworkItSaysWhatToPutWhere()
    {
        _server.Offline = true;
        var refused = await Assert.ThrowsAsync<UserException>(() => GetAsync(File1));
        Assert.Contains(PathOf("file"), refused.Message, StringComparison.Ordinal);
        Assert.Contains(File1.Sha256, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderIsPutInFront()
    {
        byte[] whole = [.. "a,b\n"u8, .. Content];
        Assert.True(await GetAsync(File1 with { Header = "a,b\n", FinalSha256 = Hash(whole) }));
        Assert.Equal(whole, File.ReadAllBytes(PathOf("file")));
        Assert.Single(Directory.GetFiles(_folder));
    }

    // The header that completes the pinned files, checked without a network: its length and ends.
    [Fact]
    public void DigitsHeaderNamesAllColumns()
    {
        var header = Catalogue.Sets.Single(set => set.Name == "optdigits").Files[0].Header;
        Assert.Equal(65, header.Split(',').Length);
        Assert.EndsWith("Block 64,Class\r\n", header, StringComparison.Ordinal);
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
