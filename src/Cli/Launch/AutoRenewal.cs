using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;

namespace Convoy.Cli.Launch;

/// <summary>
/// Renews the certificate of a running process before its time is over. The files are replaced as a whole; links that
/// are open go on, new ones use the new certificate (<see cref="CredentialSource"/>). What fails is tried again and
/// said.
/// </summary>
internal static class AutoRenewal
{
    /// <param name="folder">The credential that is renewed.</param>
    /// <param name="renew">Gets a new certificate into the folder, or throws why not.</param>
    /// <param name="time">The time to judge by.</param>
    /// <param name="note">Gets a line for each attempt.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task RunAsync(
        string folder, Func<CancellationToken, Task> renew, TimeProvider time, Action<LogLevel, string> note,
        CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var credential = CredentialFolder.Load(folder);
                var wait = RenewalPlan.Wait(credential, time.GetUtcNow());
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, time, cancel);
                    continue; // a person may have renewed it meanwhile
                }

                try
                {
                    await renew(cancel);
                    note(LogLevel.Info,
                        $"the certificate was renewed: {CredentialFolder.Load(folder).Identity} counts until "
                        + $"{CredentialFolder.Load(folder).Expires.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
                }
                catch (UserException refused)
                {
                    var retry = RenewalPlan.Retry(credential, time.GetUtcNow());
                    note(LogLevel.Warning, $"the certificate of {credential.Identity} was not renewed and expires on "
                        + $"{credential.Expires.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: {refused.Message}; again in {retry.TotalSeconds:0} s");
                    await Task.Delay(retry, time, cancel);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        catch (UserException unreadable)
        {
            note(LogLevel.Error, $"the certificate is not renewed any more: {unreadable.Message}");
        }
    }
}
