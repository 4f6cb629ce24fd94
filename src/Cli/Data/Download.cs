using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Convoy.Shared;

namespace Convoy.Cli.Data;

/// <summary>
/// Fetches one file of the catalogue: into FILE.part, resumed where an earlier try ended, checked against the pinned
/// hash, then renamed. So a file under its own name is always whole and right.
/// </summary>
internal sealed class Download(HttpClient http, string folder)
{
    /// <summary>True when something was fetched, false when the right file was already there.</summary>
    public async Task<bool> GetAsync(CatalogueFile file, CancellationToken cancel)
    {
        var path = Path.Combine(folder, file.Name);
        if (File.Exists(path))
        {
            if (await HashOfAsync(path, cancel) == file.WantedSha256) return false;
            throw new UserException(ExitCode.BadData,
                $"{path}: it is not the file that was pinned (SHA-256 {file.WantedSha256}); move it away and try again");
        }
        Directory.CreateDirectory(folder);
        var part = path + ".part";
        await FetchAsync(file, part, path, cancel);
        if (await HashOfAsync(part, cancel) != file.Sha256)
        {
            File.Delete(part);
            throw new UserException(ExitCode.BadData,
                $"{file.Url} has changed: what came is not SHA-256 {file.Sha256}; it was thrown away");
        }
        await FinishAsync(file, part, path, cancel);
        return true;
    }

    private async Task FetchAsync(CatalogueFile file, string part, string path, CancellationToken cancel)
    {
        try
        {
            await using var into = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
            into.Seek(0, SeekOrigin.End);
            if (into.Length >= file.Bytes) return;
            using var request = new HttpRequestMessage(HttpMethod.Get, file.Url);
            if (into.Length > 0) request.Headers.Range = new RangeHeaderValue(into.Length, null);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            response.EnsureSuccessStatusCode();
            // A server that ignores the range sends all of it: then begin anew.
            if (response.StatusCode != HttpStatusCode.PartialContent) into.SetLength(0);
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            await CopyAtMostAsync(body, into, file.Bytes, cancel);
        }
        catch (Exception offline) when (offline is HttpRequestException or HttpIOException
            || offline is TaskCanceledException && !cancel.IsCancellationRequested)
        {
            if (new FileInfo(part) is { Exists: true, Length: 0 } empty) empty.Delete();
            throw new UserException(ExitCode.BadData, $"{file.Url} cannot be reached ({offline.Message}): " +
                $"put the file (SHA-256 {file.WantedSha256}) at {path} by hand, or run this again to go on");
        }
    }

    // One byte more than announced is enough to know that this is another file.
    private static async Task CopyAtMostAsync(Stream from, Stream into, long bytesMax, CancellationToken cancel)
    {
        var buffer = new byte[64 << 10];
        while (into.Length <= bytesMax)
        {
            var read = await from.ReadAsync(buffer, cancel);
            if (read == 0) return;
            await into.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
    }

    private static async Task FinishAsync(CatalogueFile file, string part, string path, CancellationToken cancel)
    {
        if (file.Header.Length == 0)
        {
            File.Move(part, path);
            return;
        }
        var whole = path + ".whole";
        await using (var into = new FileStream(whole, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await into.WriteAsync(file.HeaderBytes, cancel);
            await using var from = File.OpenRead(part);
            await from.CopyToAsync(into, cancel);
        }
        Invariant.Check(await HashOfAsync(whole, cancel) == file.WantedSha256,
            "DATA-1 header and download make the pinned file");
        File.Move(whole, path);
        File.Delete(part);
    }

    private static async Task<string> HashOfAsync(string path, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel));
    }
}
