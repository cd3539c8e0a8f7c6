<?php
// A backend service in PHP without any extension: the http wrapper, one connection for each request.

$site = getenv('SITE_URL');

function call(string $method, string $url, array $headers, string $content = ''): array
{
    $http = ['method' => $method, 'header' => $headers, 'content' => $content, 'timeout' => 60, 'ignore_errors' => true];
    $stream = fopen($url, 'r', false, stream_context_create(['http' => $http]));
    $status = (int) explode(' ', stream_get_meta_data($stream)['wrapper_data'][0])[1];
    return ['status' => $status, 'body' => json_decode(stream_get_contents($stream), true)];
}

$credentials = ['client_id' => getenv('CLIENT_ID'), 'client_secret' => getenv('CLIENT_SECRET')];
$form = ['Content-Type: application/x-www-form-urlencoded'];
$token = call(
    'POST',
    "$site/wp-json/app-connect/v1/token",
    $form,
    http_build_query(['grant_type' => 'client_credentials'] + $credentials),
)['body']['access_token'];

$bearer = "Authorization: Bearer $token";
$created = call(
    'POST',
    "$site/wp-json/wp/v2/posts",
    [$bearer, 'Content-Type: application/json'],
    json_encode(['title' => 'Grüße von PHP', 'status' => 'publish']),
);
$post = "$site/wp-json/wp/v2/posts/{$created['body']['id']}";
$read = call('GET', $post, [$bearer]);

call('POST', "$site/wp-json/app-connect/v1/revoke", $form, http_build_query(['token' => $token] + $credentials));
$refused = call('GET', $post, [$bearer]);

echo json_encode([
    'created' => $created['status'],
    'id' => $created['body']['id'],
    'title' => $read['body']['title']['rendered'],
    'refused' => $refused['status'],
    'code' => $refused['body']['code'],
]);
