using TinyLlm.Grains.Errors;
using TinyLlm.Host.Errors;

namespace TinyLlm.Host.Tests.Errors;

public sealed class ErrorTableTests
{
    [Fact]
    public void Of_EveryMember_HasARowOfItsOwn()
    {
        foreach (RequestError error in Enum.GetValues<RequestError>())
        {
            ErrorRow row = ErrorTable.Of(error);
            Assert.True(row != ErrorTable.Internal, $"{error} has no row");
            Assert.InRange(row.Status, 400, 507);
        }
    }

    [Theory]
    [InlineData(RequestError.Malformed, 400)]
    [InlineData(RequestError.Unauthenticated, 401)]
    [InlineData(RequestError.ScopeLacking, 403)]
    [InlineData(RequestError.NotFound, 404)]
    [InlineData(RequestError.Conflict, 409)]
    [InlineData(RequestError.TooLarge, 413)]
    [InlineData(RequestError.WrongMediaType, 415)]
    [InlineData(RequestError.ModelInvalid, 422)]
    [InlineData(RequestError.QuotaExceeded, 429)]
    [InlineData(RequestError.NoAccelerator, 503)]
    [InlineData(RequestError.NoCapacity, 503)]
    [InlineData(RequestError.StorageFull, 507)]
    [InlineData(RequestError.FilesDiffer, 422)]
    public void Of_Member_IsTheContractsStatus(RequestError error, int status) => Assert.Equal(status, ErrorTable.Of(error).Status);
}
