<?php
/**
 * What a web server with WordPress's usual rewriting does, for PHP's built-in server: files that exist are served,
 * folders need their slash, nothing that begins with a dot is shown, and the rest is WordPress's.
 */

require_once __DIR__ . '/prepend.php';

$path = rawurldecode( strtok( $_SERVER['REQUEST_URI'], '?' ) );
$file = $_SERVER['DOCUMENT_ROOT'] . $path;

if ( preg_match( '~/\.|\0~', $path ) ) {
	http_response_code( 403 );
	return true;
}
if ( is_dir( $file ) && ! str_ends_with( $path, '/' ) ) {
	header( 'Location: ' . $path . '/', true, 301 );
	return true;
}
if ( is_file( $file ) || is_file( $file . 'index.php' ) ) {
	return false;
}
if ( getenv( 'WORDPRESS_PERMALINKS' ) === 'plain' ) {
	http_response_code( 404 );
	return true;
}

unset( $_SERVER['PATH_INFO'] );
$_SERVER['SCRIPT_NAME']     = '/index.php';
$_SERVER['PHP_SELF']        = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/index.php';
require $_SERVER['SCRIPT_FILENAME'];
