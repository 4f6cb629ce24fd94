using System.Globalization;

namespace Convoy.Actors;

/// <summary>An actor that has been handling one message for too long.</summary>
/// <param name="Actor">Path.</param>
/// <param name="Handler">Type of the message.</param>
/// <param name="Since">How long it has been seen at it.</param>
/// <param name="Queue">Messages that wait; those of the mailbox's present turn may still be counted.</param>
public sealed record WedgedActor(string Actor, string Handler, TimeSpan Since, int Queue)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Actor} has been handling {Handler} for {Since.TotalSeconds:F1} s; {Queue} messages wait");
}
